package standin

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
)

// Local serves on a Unix socket what the real server has on its local one, as far
// as a janitor asks it: posts by their ids and a channel's pages, and no thread.
// Whoever reaches the socket is an administrator. The function that it returns
// ends it.
func (s *Server) Local(path string) (stop func() error, err error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	root := &user{User: model.User{Roles: "system_admin"}}
	rt := &router{}
	for pattern, handle := range map[string]func(*call) (any, *refusal){
		"GET /channels/{channel}":                        s.getChannel,
		"GET /teams/name/{team}/channels/name/{channel}": s.getNamedChannel,
		"GET /posts/{post}":                              s.getPost,
		"GET /channels/{channel}/posts":                  s.getPosts,
		"DELETE /posts/{post}":                           s.deletePost,
	} {
		h := s.locked(handle)
		rt.add(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			body, no := h(&call{r, root})
			answer(w, body, no)
		})
	}
	srv := &http.Server{Handler: rt, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	return func() error {
		err := srv.Close()
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = cmp.Or(err, served)
		}
		return err
	}, nil
}

// local says whether a call came through the local socket.
func (c *call) local() bool { return c.user.Id == "" }

// getNamedChannel is a channel by its name and its team's.
func (s *Server) getNamedChannel(c *call) (any, *refusal) {
	for _, ch := range s.channels {
		if t := s.teams[ch.TeamId]; t != nil && t.Name == c.PathValue("team") && ch.Name == c.PathValue("channel") && s.mayRead(c.user, ch.Id) {
			return &ch.Channel, nil
		}
	}
	return nil, missing("app.channel.get_by_name.missing.app_error")
}
