package standin

import "github.com/mattermost/mattermost/server/public/model"

// A preferenceKey names a preference of an account.
type preferenceKey struct{ user, category, name string }

// ownPreferences admits an account to its own preferences only.
func (s *Server) ownPreferences(c *call) *refusal {
	u, no := s.named(c)
	if no != nil {
		return no
	}
	if u != c.user && !c.user.admin() {
		return forbidden()
	}
	return nil
}

func (s *Server) getPreference(c *call) (any, *refusal) {
	if no := s.ownPreferences(c); no != nil {
		return nil, no
	}
	p, there := s.preferences[preferenceKey{c.user.Id, c.PathValue("category"), c.PathValue("name")}]
	if !there {
		return nil, missing("app.preference.get.app_error")
	}
	return p, nil
}

func (s *Server) putPreferences(c *call) (any, *refusal) {
	if no := s.ownPreferences(c); no != nil {
		return nil, no
	}
	var all model.Preferences
	if no := c.decode(&all); no != nil {
		return nil, no
	}
	for _, p := range all {
		if p.UserId != c.user.Id {
			return nil, forbidden()
		}
	}
	for _, p := range all {
		s.preferences[preferenceKey{p.UserId, p.Category, p.Name}] = p
	}
	return ok(), nil
}
