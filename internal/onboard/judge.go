package onboard

import "slices"

// judge compares what came with what was asked for and with what was known.
func (s *Service) judge(attempt Attempt, before *Account, auth Authorization, kind AccountKind) Arrived {
	r := Arrived{
		AppID: auth.AppID, Grants: auth.Grants.Normalize(), Tokens: auth.Tokens, Standing: Active,
		AttemptID: attempt.ID, Wanted: attempt.Wanted, Verdict: Connected,
	}
	if auth.Grants == nil && before != nil { // WeChat sent no func_info: what is stored still holds
		r.Grants = before.Grants
	}
	if kind == UnknownKind {
		kind = kindBy(r.Grants)
	}
	wanted := slices.DeleteFunc(slices.Clone(attempt.Wanted), func(id PermissionID) bool {
		set, _ := LookupSet(id)
		return !set.GrantedBy(kind)
	})
	r.Missing = r.Grants.Without(wanted)
	known := before != nil && before.Standing != Revoked && before.Standing != Refused
	// An account that is served already is not put aside: somebody decided on it.
	unproven := !known || before.Standing == Quarantined
	switch {
	case attempt.ID == "" && before != nil && (before.Standing == Quarantined || before.Standing == Refused):
		r.Standing = before.Standing // a change of the sets decides nothing
	case unproven && (attempt.Hold || !attempt.CanceledAt.IsZero()):
		r.Standing = Quarantined
	case before != nil && before.Standing == Refused && (attempt.InvitedBy == "" || attempt.BizAppID != auth.AppID):
		r.Standing = Quarantined // the operator said no, so only the operator can take that back
	}
	if known {
		r.Added = before.Grants.Without(r.Grants.IDs())
		r.Removed = r.Grants.Without(before.Grants.IDs())
	}
	switch {
	case attempt.BizAppID != "" && attempt.BizAppID != auth.AppID:
		r.Verdict, r.Missing, r.Wanted = WrongAccount, nil, nil
		if unproven {
			r.Standing = Quarantined
		}
	case len(r.Missing) > 0:
		r.Verdict = Missing
	case known && len(r.Added)+len(r.Removed) > 0:
		r.Verdict = Updated
	case known && before.Standing == Active:
		r.Verdict = Already
	}
	return r
}

// kindBy guesses the kind of an account from its grants while the profile is
// not read yet: most sets can be granted by one kind only.
func kindBy(grants Grants) AccountKind {
	for _, g := range grants {
		if set, ok := LookupSet(g.ID); ok && len(set.Kinds) == 1 {
			return set.Kinds[0]
		}
	}
	return UnknownKind
}
