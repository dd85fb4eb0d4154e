package fault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// builtin is the table of all kinds of faults: each kind's zero value.
var builtin = byKind(
	InstanceKill{},
	ProcessCrash{},
	ProcessFreeze{},
	PowerLoss{},
	ConnectionsUsedUp{},
	RowLock{},
	DatabaseSlowInside{},
	DatabaseReadOnly{},
	DiskFull{},
	DiskSlow{},
	PoolLeak{},
	ThreadsExhausted{},
	DependencySlow{},
	DependencyDown{},
	InstanceFreeze{},
	ClockMoved{},
	InstanceStop{},
	InstanceRestart{},
	CrashLoop{},
	SlowStart{},
	OutOfMemory{},
	MemorySqueeze{},
	CPUStarvation{},
	Drain{},
	Maintenance{},
	Weight{},
	DatabaseBlackHole{},
	DatabaseCrash{},
	DatabaseCut{},
	DatabaseDown{},
	DatabaseFreeze{},
	DatabaseRestart{},
	Latency{},
	NetworkCut{},
	Stall{},
	PacketLoss{},
	ConnectionReset{},
	Bandwidth{},
	LinkLatency{},
	StaleARP{},
	TransactionKill{},
	SessionCleanup{},
	HealthCheckLiar{},
	BalancerKill{},
	BalancerFreeze{},
	BalancerReload{},
	KeepalivedKill{},
	KeepalivedFreeze{},
	VRRPCut{},
	AddressRemoved{},
	Deploy{},
	RollBack{},
	ConfigDrift{},
	Canary{},
	BlueGreen{},
	SchemaChange{},
)

func byKind(faults ...Fault) map[string]Fault {
	m := make(map[string]Fault, len(faults))
	for _, f := range faults {
		if _, ok := m[f.Kind()]; ok {
			panic("fault: kind " + f.Kind() + " is registered twice")
		}
		m[f.Kind()] = f
	}
	return m
}

// Kinds are the names of the built-in faults, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(builtin)) }

// tagged is a fault's JSON form.
type tagged struct {
	Kind   string          `json:"kind"`
	Params json.RawMessage `json:"params,omitempty"`
}

// Encode gives a fault's JSON form: its kind and its parameters.
func Encode(f Fault) ([]byte, error) {
	params, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("fault %s: %w", f.Kind(), err)
	}
	t := tagged{Kind: f.Kind()}
	if string(params) != "{}" {
		t.Params = params
	}
	return json.Marshal(t)
}

// Decode reads what Encode wrote, for the built-in kinds. An unknown kind or
// parameter is an error.
func Decode(b []byte) (Fault, error) {
	var t tagged
	if err := json.Unmarshal(b, &t); err != nil {
		return nil, fmt.Errorf("fault: %w", err)
	}
	zero, ok := builtin[t.Kind]
	if !ok {
		return nil, fmt.Errorf("fault %q: no such kind; there are %s", t.Kind, strings.Join(Kinds(), ", "))
	}
	p := reflect.New(reflect.TypeOf(zero))
	if len(t.Params) > 0 {
		d := json.NewDecoder(bytes.NewReader(t.Params))
		d.DisallowUnknownFields()
		if err := d.Decode(p.Interface()); err != nil {
			return nil, fmt.Errorf("fault %s: %w", t.Kind, err)
		}
	}
	return p.Elem().Interface().(Fault), nil
}
