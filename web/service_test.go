package web

import "usher/internal/onboard"

// The domain's service is what the pages ask for.
var _ Service = (*onboard.Service)(nil)
