package mattermosttest

import "testing"

func TestStandIn(t *testing.T) { Suite(t, StandIn) }
