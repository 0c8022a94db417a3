package janitor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// pageSize is the longest page that Mattermost gives.
const pageSize = 200

// A row is a post as the server keeps it: a root, a reply, or an earlier version
// of either, which is a row of its own.
type row struct {
	ID       string   `json:"id"`
	Created  int64    `json:"create_at"` // of an earlier version, the post's own
	Deleted  int64    `json:"delete_at"`
	Channel  string   `json:"channel_id"`
	Root     string   `json:"root_id"`
	Original string   `json:"original_id"` // of an earlier version, the post
	Files    []string `json:"file_ids"`
}

// A sweep is a thread that is being purged.
type sweep struct {
	j      *Janitor
	root   row
	gone   map[string]bool
	files  map[string]bool
	purged Purged
}

func postPath(id string) string { return "/posts/" + url.PathEscape(id) }

// note remembers the files of a row.
func (s *sweep) note(r row) {
	for _, id := range r.Files {
		s.files[id] = true
	}
}

// isOurs says whether a row is of the thread, the root itself apart.
func (s *sweep) isOurs(r row) bool {
	return r.ID != s.root.ID && (r.Root == s.root.ID || r.Original == s.root.ID)
}

// pass reads the channel from its newest row back to the root, which the
// thread's rows are all younger than or as old as, and removes what it finds of
// the thread. It reports whether it found nothing.
//
// No address lists a thread with its hidden replies and earlier versions, and
// the local socket none at all: the channel's pages do.
func (s *sweep) pass(ctx context.Context) (clean bool, err error) {
	clean = true
	for page := 0; ; {
		var list struct {
			Order []string
			Posts map[string]row
		}
		path := fmt.Sprintf("/channels/%s/posts?include_deleted=true&skipFetchThreads=true&page=%d&per_page=%d",
			url.PathEscape(s.root.Channel), page, pageSize)
		status, err := s.j.deleting.do(ctx, http.MethodGet, path, nil, &list)
		if err != nil {
			return false, err
		}
		if status != http.StatusOK {
			return false, s.j.refused("read the officers' channel", status)
		}
		removed := false
		for _, r := range list.Posts {
			if !s.isOurs(r) {
				continue
			}
			s.note(r)
			if err := s.remove(ctx, r); err != nil {
				return false, err
			}
			clean, removed = false, true
		}
		if removed {
			continue // Older rows moved up into this page.
		}
		if len(list.Order) < pageSize || list.Posts[list.Order[len(list.Order)-1]].Created < s.root.Created {
			return clean, nil
		}
		page++
	}
}

// remove deletes a row for good. One that is gone already is fine.
func (s *sweep) remove(ctx context.Context, r row) error {
	if s.gone[r.ID] {
		return ErrKept
	}
	status, err := s.j.deleting.do(ctx, http.MethodDelete, postPath(r.ID)+"?permanent=true", nil, nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK && status != http.StatusNotFound {
		return s.j.refused("delete for good", status)
	}
	s.gone[r.ID] = true
	if status == http.StatusOK && r.Original == "" {
		s.purged.Posts++
	}
	return nil
}

// verify reads the root and the files back.
func (s *sweep) verify(ctx context.Context) error {
	status, err := s.j.deleting.do(ctx, http.MethodGet, postPath(s.root.ID)+"?include_deleted=true", nil, nil)
	if err != nil {
		return err
	}
	if status != http.StatusNotFound {
		return fmt.Errorf("%w: the root: status %d", ErrKept, status)
	}
	for id := range s.files {
		status, err := s.j.bot.do(ctx, http.MethodGet, "/files/"+url.PathEscape(id)+"/info", nil, nil)
		if err != nil {
			return err
		}
		if status != http.StatusNotFound {
			return fmt.Errorf("%w: a file: status %d", ErrKept, status)
		}
		s.purged.Files++
	}
	return nil
}
