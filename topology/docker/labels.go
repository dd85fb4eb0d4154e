package docker

import (
	"fmt"
	"regexp"

	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
)

// Labels beside topology.RunLabel.
const (
	labelNode     = "hachaos.node"     // a node's container: its name
	labelRole     = "hachaos.role"     // a node's container: its role
	labelHelper   = "hachaos.helper"   // a helper's container: the node it stands beside
	labelStanding = "hachaos.standing" // a topology that `up` left: its name
	labelLent     = "hachaos.lent"     // the network of one that its owner removes
	labelOwner    = "hachaos.owner"    // the process that made it; see owner
	labelSpec     = "hachaos.spec"     // the network: the Spec as JSON
	labelNet      = "hachaos.net"      // the network: the image of namespace helpers
	labelImage    = "hachaos.image"    // an image of the fixtures: its name
)

// relayHelper is the helper label of the relay, which stands beside no node.
const relayHelper = "(relay)"

// hostLabel is that of the helper that stands beside the engine's host.
const hostLabel = "(host)"

// validID are the run ids and names that can be part of a container's name.
var validID = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$`)

func checkID(kind, id string) error {
	if !validID.MatchString(id) {
		return fmt.Errorf("%s %q: use letters, digits, '.', '_' and '-', at most 63", kind, id)
	}
	return nil
}

// CheckName reports why a topology cannot stand under that name.
func CheckName(name string) error { return checkID("name", name) }

func networkName(id string) string         { return "hachaos-" + id }
func containerName(id, node string) string { return "hachaos-" + id + "-" + node }

// labels are what everything of one cluster bears.
func labels(id, standing string, owner owner) map[string]string {
	all := map[string]string{topology.RunLabel: id, labelOwner: owner.String()}
	if standing != "" {
		all[labelStanding] = standing
	}
	return all
}

// ofRun selects what bears the run's label.
func ofRun(id string) client.Filters {
	return make(client.Filters).Add("label", topology.RunLabel+"="+id)
}
