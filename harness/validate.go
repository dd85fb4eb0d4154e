package harness

// Validate reports why s cannot be run with opts, and starts nothing. Its
// errors wrap ErrUsage.
func (r *Runner) Validate(s Scenario, opts Options) error {
	_, err := resolve(s, opts, r.lookup())
	return err
}
