// Command mutate is a mutation tester for hachaos's own packages: it makes
// small defects in their code, one at a time, and asks whether a test notices.
//
//	go run ./tools/mutate --package history --budget 3m    # run what has no result yet
//	go run ./tools/mutate --package assert --sample 300    # estimate the score
//	go run ./tools/mutate --list                           # the mutants
//	go run ./tools/mutate --report                         # Markdown of the results there are
//	go run ./tools/mutate --report --sample 300 --seed 7   # of those that this seed draws alone
//
// All mutants of a package are compiled into one test binary (mutant schemata,
// Untch, Offutt and Harrold 1993): a site reads `a < b` as `less(id, a, b)`,
// which is `a <= b` only in the process whose environment names that mutant.
// The sources on disk are not touched: the go command's -overlay replaces
// them. The same binary tells which sites a test reaches, so that a mutant is
// run against these tests alone, the fastest first. No closure is made at a
// site (helpers are generic functions, conditions are combined with != and ||),
// so that nothing escapes that did not, and what would not type check is left
// out before anything is compiled.
//
// The second best is a build for each mutant, as all known Go tools do it. It
// can express every mutant, of types and array lengths too, and no guard stays
// in the code under test; but linking a test binary takes seconds where the
// tests of a mutant take a tenth of one, and every tool that does so runs all
// tests of a package for each mutant.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// served are the packages that are mutated if none is named.
var served = []string{"assert", "history", "harness", "fault"}

// options are the command's.
type options struct {
	packages  []string
	budget    time.Duration
	sample    int
	seed      uint64
	match     string
	dir       string
	explained string
	workers   int
	list      bool
	report    bool
	least     float64 // percent; 0 asks for none
	// root is the module's; progress goes to log.
	root string
	log  io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		if errors.Is(err, errTooFew) {
			os.Exit(3)
		}
		os.Exit(1)
	}
}

func parse(args []string, log io.Writer) (options, error) {
	o := options{root: ".", log: log}
	f := flag.NewFlagSet("mutate", flag.ContinueOnError)
	f.SetOutput(log)
	f.Func("package", "the package to mutate, relative to the module; may be repeated (default "+strings.Join(served, ", ")+")",
		func(s string) error {
			o.packages = append(o.packages, strings.Split(s, ",")...)
			return nil
		})
	f.DurationVar(&o.budget, "budget", 0, "stop after this long, builds included; 0 is when all is done")
	f.IntVar(&o.sample, "sample", 0, "run only this many mutants of each package, drawn at random; 0 is all")
	f.Uint64Var(&o.seed, "seed", 1, "of the order in which mutants are run, and so of the sample")
	f.StringVar(&o.match, "match", "", "only mutants whose line in --list contains this text")
	f.StringVar(&o.dir, "dir", ".cache/mutation", "the folder of results, and of the binaries")
	f.StringVar(&o.explained, "explained", "docs/mutation/explained.txt", "the survivors that have been read, with a reason each")
	f.IntVar(&o.workers, "workers", runtime.NumCPU(), "test processes at a time")
	f.BoolVar(&o.list, "list", false, "list the mutants, with their results, and run none")
	f.BoolVar(&o.report, "report", false, "write the results there are as Markdown and run none")
	f.Float64Var(&o.least, "least", 0, "fail if fewer percent of the mutants are killed, such as 85")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("%q: packages are named with --package", f.Arg(0))
	case o.sample < 0, o.workers < 1, o.budget < 0:
		return o, errors.New("--sample and --budget are not negative, and --workers is at least 1")
	case !(o.least >= 0 && o.least <= 100):
		return o, fmt.Errorf("--least %g: want percent, such as 85", o.least)
	case o.least > 0 && o.match != "":
		return o, errors.New("--least and --match: what matches is no sample of the whole")
	case o.least > 0 && len(o.packages) > 0:
		return o, errors.New("--least and --package: it is the score of all that is held to it")
	case len(o.packages) == 0:
		o.packages = served
	}
	return o, nil
}

// run does what the options say. What is printed on out is the list or the
// report; progress goes to the log.
func run(ctx context.Context, o options, out io.Writer) error {
	if o.budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.budget)
		defer cancel()
	}
	reasons, err := readExplained(filepath.Join(o.root, o.explained))
	if err != nil {
		return err
	}
	var sections []section
	for _, name := range o.packages {
		p, err := load(o.root, name)
		if err != nil {
			return err
		}
		if err := p.mutate(); err != nil {
			return err
		}
		s, err := one(ctx, o, p, out)
		if err != nil {
			return err
		}
		sections = append(sections, s)
	}
	if o.list {
		return nil
	}
	wrong := explain(sections, reasons)
	writeReport(out, sections, o)
	if o.least > 0 {
		wrong = append(wrong, enough(sections, o.least))
	}
	return errors.Join(wrong...)
}

// one runs what one package lacks, unless only a list or a report is wanted,
// and gathers what is known of it.
func one(ctx context.Context, o options, p *pkg, out io.Writer) (section, error) {
	book, err := openBook(filepath.Join(o.root, o.dir), p)
	if err != nil {
		return section{}, err
	}
	defer book.close()
	if o.list {
		list(out, p, book, o.match)
		return section{}, nil
	}
	if !o.report {
		s := session{p: p, book: book, workers: o.workers, log: o.log}
		if err := s.run(ctx, choose(p.mutants, book, o)); err != nil {
			return section{}, fmt.Errorf("%s: %w", p.short, err)
		}
	}
	base, err := book.baseline()
	if err != nil {
		return section{}, err
	}
	return newSection(p, book, base, o), nil
}

// list writes one line for each mutant, with its result if there is one.
func list(out io.Writer, p *pkg, b *book, match string) {
	n := 0
	for _, m := range p.mutants {
		if !strings.Contains(m.String(), match) {
			continue
		}
		n++
		fmt.Fprint(out, m)
		if r, ok := b.result(m); ok {
			fmt.Fprint(out, ": ", r)
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "%s: %d mutants, %d that would not type check left out\n", p.short, n, len(p.dropped))
}
