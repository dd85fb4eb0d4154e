package history

import "fmt"

var typeNames = [...]string{"other", OpLogin, OpLogout, OpSessionWrite, OpSessionRead, OpOrder}

// TypeOf gives the type of an operation's name; Other for one not known.
func TypeOf(name string) Type {
	switch name {
	case OpLogin:
		return Login
	case OpLogout:
		return Logout
	case OpSessionWrite:
		return SessionWrite
	case OpSessionRead:
		return SessionRead
	case OpOrder:
		return Order
	}
	return Other
}

// String is the operation's name as events have it.
func (t Type) String() string { return word(typeNames[:], int(t), "Type") }

var outcomeNames = [...]string{"info", "ok", "fail"}

// String is the completing event's kind.
func (o Outcome) String() string { return word(outcomeNames[:], int(o), "Outcome") }

var integrityNames = [...]string{"torn", "unsealed", "altered", "whole"}

// String gives the word that reports use.
func (s IntegrityState) String() string { return word(integrityNames[:], int(s), "IntegrityState") }

func word(names []string, i int, of string) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("%s(%d)", of, i)
	}
	return names[i]
}

// Completes says whether the kind completes an operation.
func (k Kind) Completes() bool { return k == OK || k == Fail || k == Info }
