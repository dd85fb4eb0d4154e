package harness

// Validate reports why s cannot be run with opts, and starts nothing. Its
// errors wrap ErrUsage. Whether what stands under opts.On is what s needs, Run
// says.
func (r *Runner) Validate(s Scenario, opts Options) error {
	_, err := resolve(s, opts, r.lookup(), nil)
	return err
}
