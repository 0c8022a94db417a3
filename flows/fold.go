package flows

// factFold is the fact that holds how long after the person's last sign the
// bubble folds back to the first screen.
const factFold = "fold"
