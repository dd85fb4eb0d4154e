package gameday

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hachaos/hachaos/runbook"
)

// Asker stands for a person. Its answers are compared as they are, without the
// spaces around them and in lower case.
type Asker interface {
	// Decide answers a question; ErrNobody if nobody can.
	Decide(ctx context.Context, d *runbook.Decide) (string, error)
	// Call makes a call, and returns what came of it; ErrNobody if nobody can.
	Call(ctx context.Context, c *runbook.Call) (string, error)
}

// ErrNobody: a person is needed, and there is none.
var ErrNobody = errors.New("a person is needed here, and the runbook states no answer for CI")

// Stated answers as the runbook says for CI.
type Stated struct{}

// Decide implements Asker.
func (Stated) Decide(_ context.Context, d *runbook.Decide) (string, error) { return stated(d.CI) }

// Call implements Asker.
func (Stated) Call(_ context.Context, c *runbook.Call) (string, error) { return stated(c.CI) }

func stated(answer string) (string, error) {
	if answer == "" {
		return "", ErrNobody
	}
	return answer, nil
}

// Terminal asks the person at a terminal. It is not safe for concurrent use.
type Terminal struct {
	in  chan string
	out io.Writer
}

// NewTerminal asks on out and reads answers, a line each, from in. Its reader
// ends with in.
func NewTerminal(in io.Reader, out io.Writer) *Terminal {
	t := &Terminal{make(chan string), out}
	go func() {
		defer close(t.in)
		for lines := bufio.NewScanner(in); lines.Scan(); {
			t.in <- lines.Text()
		}
	}()
	return t
}

// Decide implements Asker.
func (t *Terminal) Decide(ctx context.Context, d *runbook.Decide) (string, error) {
	return t.ask(ctx, fmt.Sprintf("%s\n  (%s goes on, anything else ends the runbook): ", d.Question, d.GoOn))
}

// Call implements Asker.
func (t *Terminal) Call(ctx context.Context, c *runbook.Call) (string, error) {
	return t.ask(ctx, c.Text+"\n  (Return when it is done): ")
}

// Confirm asks before a step, and is an error unless the answer is y. An empty one is
// none: Return may have been meant for what was asked before.
func (t *Terminal) Confirm(ctx context.Context, step Part) error {
	for {
		answer, err := t.ask(ctx, fmt.Sprintf("Step %q, line %d\n  (y carries it out, anything else ends the runbook): ", step.Title, step.Line))
		switch {
		case err != nil || answer == "y":
			return err
		case answer != "":
			return fmt.Errorf("the answer is %q", answer)
		}
	}
}

func (t *Terminal) ask(ctx context.Context, question string) (string, error) {
	if _, err := io.WriteString(t.out, question); err != nil {
		return "", err
	}
	select {
	case answer, ok := <-t.in:
		if !ok {
			return "", ErrNobody
		}
		return strings.TrimSpace(answer), nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
