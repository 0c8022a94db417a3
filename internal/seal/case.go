package seal

import "suar/internal/caseid"

// A CaseID names a case and its transcript.
type CaseID = caseid.ID
