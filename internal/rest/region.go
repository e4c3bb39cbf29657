package rest

import (
	"fmt"
	"regexp"
)

// edges pairs Twilio's regions with the edge nearest to each. A region without an edge would name a host such as
// api.ie1.twilio.com, and those stopped answering on 2026-04-28.
var edges = map[string]string{
	"au1": "sydney",
	"br1": "sao-paulo",
	"de1": "frankfurt",
	"ie1": "dublin",
	"jp1": "tokyo",
	"jp2": "osaka",
	"sg1": "singapore",
	"us1": "ashburn",
	"us2": "umatilla",
}

var hostLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// place completes a region and an edge to the pair that names a living host, or to neither.
func place(region, edge string) (string, string, error) {
	for _, label := range []string{region, edge} {
		if label != "" && !hostLabel.MatchString(label) {
			return "", "", fmt.Errorf("%q is not a region or an edge", label)
		}
	}
	switch {
	case region == "" && edge == "":
		return "", "", nil
	case region == "":
		return "us1", edge, nil
	case edge == "":
		if edges[region] == "" {
			return "", "", fmt.Errorf("region %q needs its edge named", region)
		}
		return region, edges[region], nil
	}
	return region, edge, nil
}
