package main

import (
	"strconv"
	"strings"
)

// What the binary of mutants takes from its environment.
const (
	envMutant = "HACHAOS_MUTANT"        // the number of the one that is active; 0 or unset is none
	envHits   = "HACHAOS_MUTANT_HITS"   // a file with a byte for each mutant, set if its site was reached
	envMemory = "HACHAOS_MUTANT_MEMORY" // bytes of address space
)

// runtimeImports are what schema imports.
var runtimeImports = []string{"os", "runtime/debug", "strconv", "syscall"}

// schemaFile is the name of the file that is added to the package.
const schemaFile = "zz_schema.go"

// schema is the file that is added to the package under test. The guard of a
// site is zzOn: a comparison while a mutant runs. While hits are recorded, the
// first of each site is written out at once, so that it is kept however the
// process ends; sites reached by two goroutines at once are recorded twice,
// which does no harm.
func schema(name string, mutants int) string {
	return strings.NewReplacer("PACKAGE", name, "MUTANTS", strconv.Itoa(mutants+1)).Replace(schemaText)
}

const schemaText = `package PACKAGE

import (
	"os"
	"runtime/debug"
	"strconv"
	"syscall"
)

var zzActive, zzHits = zzStart()

func zzStart() (uint32, *zzRecord) {
	if n, err := strconv.ParseUint(os.Getenv("` + envMemory + `"), 10, 64); err == nil {
		debug.SetMaxStack(64 << 20)
		if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			panic(err)
		}
	}
	var rec *zzRecord
	if name := os.Getenv("` + envHits + `"); name != "" {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			panic(err)
		}
		rec = &zzRecord{file: f, one: []byte{1}}
	}
	n, _ := strconv.ParseUint(os.Getenv("` + envMutant + `"), 10, 32)
	return uint32(n), rec
}

type zzRecord struct {
	seen [MUTANTS]bool
	file *os.File
	one  []byte
}

func (r *zzRecord) hit(id uint32) bool {
	if !r.seen[id] {
		r.seen[id] = true
		if _, err := r.file.WriteAt(r.one, int64(id)); err != nil {
			panic(err)
		}
	}
	return false
}

func zzOn(id uint32) bool { return id == zzActive || zzHits != nil && zzHits.hit(id) }

type zzInteger interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

type zzNumber interface{ zzInteger | ~float32 | ~float64 }

type zzOrdered interface{ zzNumber | ~string }

func zzLess[T zzOrdered](id uint32, a, b T) bool {
	if zzOn(id) {
		return a <= b
	}
	return a < b
}

func zzLessEqual[T zzOrdered](id uint32, a, b T) bool {
	if zzOn(id) {
		return a < b
	}
	return a <= b
}

func zzGreater[T zzOrdered](id uint32, a, b T) bool {
	if zzOn(id) {
		return a >= b
	}
	return a > b
}

func zzGreaterEqual[T zzOrdered](id uint32, a, b T) bool {
	if zzOn(id) {
		return a > b
	}
	return a >= b
}

func zzAdd[T zzNumber](id uint32, a, b T) T {
	if zzOn(id) {
		return a - b
	}
	return a + b
}

func zzSub[T zzNumber](id uint32, a, b T) T {
	if zzOn(id) {
		return a + b
	}
	return a - b
}

func zzMul[T zzNumber](id uint32, a, b T) T {
	if zzOn(id) {
		return a / b
	}
	return a * b
}

func zzDiv[T zzNumber](id uint32, a, b T) T {
	if zzOn(id) {
		return a * b
	}
	return a / b
}

func zzRem[T zzInteger](id uint32, a, b T) T {
	if zzOn(id) {
		return a * b
	}
	return a % b
}

func zzAnd[T zzInteger](id uint32, a, b T) T {
	if zzOn(id) {
		return a | b
	}
	return a & b
}

func zzOr[T zzInteger](id uint32, a, b T) T {
	if zzOn(id) {
		return a & b
	}
	return a | b
}

func zzAndNot[T zzInteger](id uint32, a, b T) T {
	if zzOn(id) {
		return a & b
	}
	return a &^ b
}

func zzLeft[T, U zzInteger](id uint32, a T, b U) T {
	if zzOn(id) {
		return a >> b
	}
	return a << b
}

func zzRight[T, U zzInteger](id uint32, a T, b U) T {
	if zzOn(id) {
		return a << b
	}
	return a >> b
}

func zzMinus[T zzNumber](id uint32, a T) T {
	if zzOn(id) {
		return a
	}
	return -a
}

func zzOpposite[T zzNumber](id uint32, a T) T {
	if zzOn(id) {
		return -a
	}
	return a
}

func zzStep[T zzNumber](id uint32) T {
	var one T = 1
	if zzOn(id) {
		return -one
	}
	return one
}

func zzUp[T zzNumber](id uint32, a T) T {
	if zzOn(id) {
		return a + 1
	}
	return a
}

func zzDown[T zzNumber](id uint32, a T) T {
	if zzOn(id) {
		return a - 1
	}
	return a
}

func zzPick[T any](id uint32, a, b T) T {
	if zzOn(id) {
		return b
	}
	return a
}

func zzZero[T any](id uint32, a T) T {
	if zzOn(id) {
		var zero T
		return zero
	}
	return a
}

func zzTrue[T ~bool](id uint32, a T) T { return a || T(zzOn(id)) }
`
