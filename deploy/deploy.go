// Package deploy holds the examples of this folder, so that suar init can write
// them without the source at hand.
package deploy

import "embed"

// Files are the examples that suar init adapts: suar.yaml, directory.yaml,
// suar.service and compose-one.yaml.
//
//go:embed suar.yaml directory.yaml suar.service compose-one.yaml
var Files embed.FS
