package standin

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"
)

// maxBody is the longest body of a request, in bytes, files apart.
const maxBody = 300_000

// A call is a request of somebody who is logged in.
type call struct {
	*http.Request
	user *user
}

// A refusal is an answer other than success.
type refusal struct {
	status int
	id     string
}

// A created is an answer of status 201.
type created struct{ body any }

// ok is the answer of what has nothing else to say.
func ok() map[string]string { return map[string]string{"status": "OK"} }

func forbidden() *refusal          { return &refusal{http.StatusForbidden, "api.context.permissions.app_error"} }
func missing(id string) *refusal   { return &refusal{http.StatusNotFound, id} }
func bad(id string) *refusal       { return &refusal{http.StatusBadRequest, id} }
func invalid(what string) *refusal { return bad("api.context.invalid_param.app_error: " + what) }

// A route is an address of the API: a method and a path, in which "{name}" is
// any one part.
type route struct {
	method string
	parts  []string
	serve  http.HandlerFunc
}

// A router tries its routes in order. The mux of net/http will not do: it takes
// "/users/username/{name}" and "/users/{user}/status" for a conflict.
type router []route

func (rt *router) add(pattern string, h http.HandlerFunc) {
	method, path, _ := strings.Cut(pattern, " ")
	*rt = append(*rt, route{method, strings.Split("/api/v4"+path, "/"), h})
}

// ServeHTTP implements http.Handler.
func (rt router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimSuffix(r.URL.Path, "/"), "/")
	for _, x := range rt {
		if x.method == r.Method && x.matches(r, parts) {
			x.serve(w, r)
			return
		}
	}
	answer(w, nil, missing("api.context.404.app_error"))
}

// matches says whether the parts of a path are the route's, and sets what the
// placeholders stand for.
func (x *route) matches(r *http.Request, parts []string) bool {
	if len(parts) != len(x.parts) {
		return false
	}
	for i, want := range x.parts {
		if !strings.HasPrefix(want, "{") && want != parts[i] {
			return false
		}
	}
	for i, want := range x.parts {
		if strings.HasPrefix(want, "{") {
			r.SetPathValue(strings.Trim(want, "{}"), parts[i])
		}
	}
	return true
}

// routes are the addresses of the API. Most handlers run with the server's
// lock held.
func (s *Server) routes() http.Handler {
	rt := &router{}
	for _, x := range []struct {
		pattern string
		handle  func(*call) (any, *refusal)
	}{
		{"GET /users/{user}", s.getUser},
		{"GET /users/username/{name}", s.getUserByName},
		{"GET /users/{user}/status", s.getStatus},
		{"POST /users/status/ids", s.getStatuses},
		{"POST /users/ids", s.getUsersByID},
		{"GET /users", s.getUsers},
		{"PUT /users/{user}/active", s.putActive},
		{"GET /users/{user}/tokens", s.getTokens},
		{"POST /users/tokens/revoke", s.revokeToken},
		{"POST /users/{user}/sessions/revoke/all", s.revokeSessions},
		{"GET /teams/{team}", s.getTeam},
		{"GET /teams/name/{name}", s.getTeamByName},
		{"GET /teams/{team}/channels/name/{name}", s.getChannelByName},
		{"GET /teams/name/{team}/channels/name/{channel}", s.getNamedChannel},
		{"POST /channels/direct", s.createDirect},
		{"GET /channels/{channel}", s.getChannel},
		{"GET /channels/{channel}/members", s.getMembers},
		{"POST /channels/{channel}/members", s.addMember},
		{"GET /channels/{channel}/members/{user}", s.getMember},
		{"DELETE /channels/{channel}/members/{user}", s.removeMember},
		{"POST /posts", s.createPost},
		{"GET /posts/{post}", s.getPost},
		{"PUT /posts/{post}/patch", s.patchPost},
		{"PUT /posts/{post}", s.updatePost},
		{"DELETE /posts/{post}", s.deletePost},
		{"POST /posts/{post}/pin", s.pinPost},
		{"POST /posts/{post}/unpin", s.unpinPost},
		{"GET /posts/{post}/thread", s.getThread},
		{"GET /channels/{channel}/posts", s.getPosts},
		{"POST /reactions", s.addReaction},
		{"GET /posts/{post}/reactions", s.getReactions},
		{"DELETE /users/{user}/posts/{post}/reactions/{emoji}", s.removeReaction},
		{"GET /files/{file}/info", s.getFileInfo},
		{"GET /users/{user}/preferences/{category}/name/{name}", s.getPreference},
		{"PUT /users/{user}/preferences", s.putPreferences},
		{"POST /commands", s.createCommand},
	} {
		rt.add(x.pattern, s.session(s.locked(x.handle)))
	}
	rt.add("POST /files", s.session(s.uploadFile))
	rt.add("GET /files/{file}", s.getFile)
	rt.add("POST /posts/{post}/actions/{action}", s.session(s.press))
	rt.add("POST /commands/execute", s.session(s.executeCommand))
	rt.add("POST /actions/dialogs/submit", s.session(s.submitDialog))
	rt.add("POST /actions/dialogs/open", s.openDialog)
	rt.add("GET /websocket", s.websocket)
	rt.add("GET /system/ping", func(w http.ResponseWriter, _ *http.Request) { answer(w, ok(), nil) })
	rt.add("GET /config/client", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]string{"AsymmetricSigningPublicKey": s.public, "Version": model.CurrentVersion}, nil)
	})
	return rt
}

// session admits only who is logged in.
func (s *Server) session(h func(*call) (any, *refusal)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		u := s.who(bearer(r))
		s.mu.Unlock()
		if u == nil {
			answer(w, nil, &refusal{http.StatusUnauthorized, "api.context.session_expired.app_error"})
			return
		}
		if !strings.HasSuffix(r.URL.Path, "/files") {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		body, no := h(&call{r, u})
		answer(w, body, no)
	}
}

// locked runs a handler with the lock held, and writes its answer out before
// the lock is given up: the answer may point into what the server keeps.
func (s *Server) locked(h func(*call) (any, *refusal)) func(*call) (any, *refusal) {
	return func(c *call) (any, *refusal) {
		s.mu.Lock()
		defer s.mu.Unlock()
		body, no := h(c)
		if no != nil {
			return nil, no
		}
		made, is := body.(created)
		if is {
			body = made.body
		}
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, &refusal{http.StatusInternalServerError, "api.marshal_error"}
		}
		if is {
			return created{json.RawMessage(raw)}, nil
		}
		return json.RawMessage(raw), nil
	}
}

// who is the active account that a token belongs to, or nil.
func (s *Server) who(tok string) *user {
	t := s.tokens[tok]
	if t == nil {
		return nil
	}
	u := s.users[t.user]
	if u == nil || u.DeleteAt != 0 {
		return nil
	}
	return u
}

func bearer(r *http.Request) string {
	scheme, tok, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(tok)
}

func answer(w http.ResponseWriter, body any, no *refusal) {
	status := http.StatusOK
	if made, is := body.(created); is {
		status, body = http.StatusCreated, made.body
	}
	if no != nil {
		status = no.status
		body = map[string]any{"id": no.id, "message": no.id, "detailed_error": "", "status_code": status}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that is gone needs no answer.
	_ = json.NewEncoder(w).Encode(body)
}

func (c *call) decode(into any) *refusal {
	if err := json.NewDecoder(c.Body).Decode(into); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return &refusal{http.StatusRequestEntityTooLarge, "api.context.request_body_too_large.app_error"}
		}
		return invalid("body")
	}
	return nil
}

// number reads a whole number of the query, 0 if there is none.
func (c *call) number(name string) (int64, *refusal) {
	v := c.URL.Query().Get(name)
	if v == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 0, invalid(name)
	}
	return n, nil
}

// page cuts a list as page and per_page ask.
func page[T any](c *call, all []T) ([]T, *refusal) {
	n, no := c.number("page")
	if no != nil {
		return nil, no
	}
	per, no := c.number("per_page")
	if no != nil {
		return nil, no
	}
	if per <= 0 {
		per = 60
	}
	per = min(per, 200)
	from := min(max(n, 0)*per, int64(len(all)))
	return all[from:min(from+per, int64(len(all)))], nil
}

// named is the account that the path names; "me" is the caller.
func (s *Server) named(c *call) (*user, *refusal) {
	id := c.PathValue("user")
	if id == "me" {
		return c.user, nil
	}
	if !model.IsValidId(id) {
		return nil, bad("api.context.invalid_url_param.app_error")
	}
	if u := s.users[id]; u != nil {
		return u, nil
	}
	return nil, missing("app.user.missing_account.const")
}

func (s *Server) getUser(c *call) (any, *refusal) {
	u, no := s.named(c)
	if no != nil {
		return nil, no
	}
	return u.shown(), nil
}

func (s *Server) getUserByName(c *call) (any, *refusal) {
	for _, u := range s.users {
		if strings.EqualFold(u.Username, c.PathValue("name")) {
			return u.shown(), nil
		}
	}
	return nil, missing("app.user.get_by_username.app_error")
}

func (s *Server) getStatus(c *call) (any, *refusal) {
	u, no := s.named(c)
	if no != nil {
		return nil, no
	}
	return s.presence(u.Id), nil
}

func (s *Server) getStatuses(c *call) (any, *refusal) {
	var ids []string
	if no := c.decode(&ids); no != nil {
		return nil, no
	}
	out := []*model.Status{}
	for _, id := range ids {
		if s.users[id] != nil {
			out = append(out, s.presence(id))
		}
	}
	return out, nil
}

func (s *Server) getUsersByID(c *call) (any, *refusal) {
	var ids []string
	if no := c.decode(&ids); no != nil {
		return nil, no
	}
	out := []*model.User{}
	for _, id := range ids {
		if u := s.users[id]; u != nil {
			out = append(out, u.shown())
		}
	}
	return out, nil
}

func (s *Server) getUsers(c *call) (any, *refusal) {
	in := c.URL.Query().Get("in_channel")
	if in != "" && !s.mayRead(c.user, in) {
		return nil, forbidden()
	}
	all := []*model.User{}
	for _, u := range s.users {
		if in == "" || s.channels[in].members[u.Id] != nil {
			all = append(all, u.shown())
		}
	}
	slices.SortFunc(all, func(a, b *model.User) int { return strings.Compare(a.Username, b.Username) })
	list, no := page(c, all)
	return list, no
}

func (s *Server) putActive(c *call) (any, *refusal) {
	u, no := s.named(c)
	if no != nil {
		return nil, no
	}
	var want struct{ Active bool }
	if no := c.decode(&want); no != nil {
		return nil, no
	}
	if !c.user.admin() {
		return nil, forbidden()
	}
	u.UpdateAt = millis()
	if want.Active {
		u.DeleteAt = 0
		return ok(), nil
	}
	u.DeleteAt = millis()
	s.revoke(u.Id, false)
	return ok(), nil
}

func (s *Server) getTokens(c *call) (any, *refusal) {
	u, no := s.named(c)
	if no != nil {
		return nil, no
	}
	if !c.user.admin() {
		return nil, forbidden()
	}
	out := []*model.UserAccessToken{}
	for _, t := range s.tokens {
		if t.user == u.Id && t.bot {
			out = append(out, &model.UserAccessToken{Id: t.id, UserId: u.Id, IsActive: true})
		}
	}
	return out, nil
}

func (s *Server) revokeToken(c *call) (any, *refusal) {
	var want struct {
		ID string `json:"token_id"`
	}
	if no := c.decode(&want); no != nil {
		return nil, no
	}
	if !c.user.admin() {
		return nil, forbidden()
	}
	for k, t := range s.tokens {
		if t.id == want.ID {
			delete(s.tokens, k)
		}
	}
	return ok(), nil
}

func (s *Server) revokeSessions(c *call) (any, *refusal) {
	u, no := s.named(c)
	if no != nil {
		return nil, no
	}
	if u != c.user && !c.user.admin() {
		return nil, forbidden()
	}
	s.revoke(u.Id, false)
	return ok(), nil
}

// revoke ends a person's sessions. A bot's token is no session and outlives
// them.
func (s *Server) revoke(id string, bots bool) {
	for k, t := range s.tokens {
		if t.user == id && t.bot == bots {
			delete(s.tokens, k)
		}
	}
}

func (s *Server) getTeam(c *call) (any, *refusal) {
	if t := s.teams[c.PathValue("team")]; t != nil {
		return t, nil
	}
	return nil, missing("app.team.get.find.app_error")
}

func (s *Server) getTeamByName(c *call) (any, *refusal) {
	for _, t := range s.teams {
		if t.Name == c.PathValue("name") {
			return t, nil
		}
	}
	return nil, missing("app.team.get_by_name.missing.app_error")
}

func (s *Server) getChannelByName(c *call) (any, *refusal) {
	for _, ch := range s.channels {
		if ch.TeamId == c.PathValue("team") && ch.Name == c.PathValue("name") {
			if !s.mayRead(c.user, ch.Id) {
				break
			}
			return &ch.Channel, nil
		}
	}
	return nil, missing("app.channel.get_by_name.missing.app_error")
}

// readable is the channel that the path names, if the caller may read it.
func (s *Server) readable(c *call) (*channel, *refusal) {
	ch := s.channels[c.PathValue("channel")]
	if ch == nil {
		return nil, missing("app.channel.get.existing.app_error")
	}
	if !s.mayRead(c.user, ch.Id) {
		return nil, forbidden()
	}
	return ch, nil
}

func (s *Server) getChannel(c *call) (any, *refusal) {
	ch, no := s.readable(c)
	if no != nil {
		return nil, no
	}
	return &ch.Channel, nil
}

func (s *Server) getMembers(c *call) (any, *refusal) {
	ch, no := s.readable(c)
	if no != nil {
		return nil, no
	}
	all := []*model.ChannelMember{}
	for _, m := range ch.members {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *model.ChannelMember) int { return strings.Compare(a.UserId, b.UserId) })
	list, no := page(c, all)
	return list, no
}

func (s *Server) getMember(c *call) (any, *refusal) {
	ch, no := s.readable(c)
	if no != nil {
		return nil, no
	}
	u, no := s.named(c)
	if no != nil {
		return nil, missing("app.channel.get_member.missing.app_error")
	}
	if m := ch.members[u.Id]; m != nil {
		return m, nil
	}
	return nil, missing("app.channel.get_member.missing.app_error")
}

func (s *Server) addMember(c *call) (any, *refusal) {
	var want struct {
		UserID string `json:"user_id"`
	}
	if no := c.decode(&want); no != nil {
		return nil, no
	}
	ch := s.channels[c.PathValue("channel")]
	if ch == nil {
		return nil, missing("app.channel.get.existing.app_error")
	}
	if !c.user.admin() {
		return nil, forbidden()
	}
	if s.users[want.UserID] == nil {
		return nil, missing("app.user.missing_account.const")
	}
	return created{s.join(ch.Id, want.UserID, c.user.Id)}, nil
}

func (s *Server) removeMember(c *call) (any, *refusal) {
	ch := s.channels[c.PathValue("channel")]
	if ch == nil {
		return nil, missing("app.channel.get.existing.app_error")
	}
	u, no := s.named(c)
	if no != nil {
		return nil, no
	}
	if !c.user.admin() && c.user != u {
		return nil, forbidden()
	}
	if ch.members[u.Id] == nil {
		return nil, missing("app.channel.get_member.missing.app_error")
	}
	s.leave(ch.Id, u.Id, c.user.Id)
	return ok(), nil
}
