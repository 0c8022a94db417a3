package telegramtest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

const (
	// fileLife is how long a place that getFile gave is good for.
	fileLife = time.Hour
	// largestFile is what a bot may read.
	largestFile = 20 << 20
)

// A File is what a person sends, with its bytes.
type File struct {
	// Kind is Photo, Voice, Audio, Video or Document.
	Kind    string
	Content []byte
	// Says is how long Telegram says that it is, the truth if 0; negative for not
	// saying.
	Says int
	// Type is the media type that a document says that it is of.
	Type string
	// Album, if not empty, is the same for messages that were sent together.
	Album string
}

// A stored file is one that a bot may ask for.
type stored struct {
	content []byte
	says    int
	path    string
	asked   time.Time // when getFile last gave its place
}

// SendFile sends a file with a caption, which may be empty, and returns the
// message's id. It panics for a kind that is no file.
func (p *Person) SendFile(f File, caption string) int {
	var id int
	p.change(func(c *chat) {
		media := attachment(f.Kind, p.s.nextID+1)
		if f.Album != "" {
			media["media_group_id"] = f.Album
		}
		said := len(f.Content)
		if f.Says != 0 {
			said = max(f.Says, 0)
		}
		for i, o := range sizes(media[f.Kind]) {
			fileID := fmt.Sprint(o["file_id"])
			if f.Kind == Photo {
				fileID = fmt.Sprint(fileID, "-", i)
				o["file_id"] = fileID
				o["file_unique_id"] = fmt.Sprint(o["file_unique_id"], "-", i)
			}
			if f.Says >= 0 {
				o["file_size"] = said
			}
			if f.Kind == Document && f.Type != "" {
				o["mime_type"] = f.Type
			}
			p.s.files[fileID] = &stored{content: f.Content, says: said, path: fmt.Sprintf("files/file_%d", len(p.s.files))}
		}
		id = p.write(c, &message{Message: Message{Text: caption, Media: f.Kind}, media: media})
	})
	return id
}

// sizes are the objects of a file: a photo has several.
func sizes(media any) []map[string]any {
	switch m := media.(type) {
	case map[string]any:
		return []map[string]any{m}
	case []any:
		var out []map[string]any
		for _, o := range m {
			out = append(out, sizes(o)...)
		}
		return out
	}
	panic(fmt.Sprintf("telegramtest: no file in %T", media))
}

// Forget makes Telegram lose the files that were sent so far.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.files)
}

// getFile answers for any file; of one that SendFile did not send only that it
// was called matters.
func getFile(s *Server, _ context.Context, p params) (any, *apiError) {
	id := p.text("file_id")
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[id]
	switch {
	case id == "":
		return nil, bad("invalid file_id")
	case f == nil && strings.HasPrefix(id, CanaryFile):
		return nil, bad("wrong file_id or the file is temporarily unavailable")
	case f == nil:
		return map[string]any{"file_id": id, "file_unique_id": "u" + id, "file_size": 1, "file_path": "documents/" + id}, nil
	case f.says > largestFile:
		return nil, bad("file is too big")
	}
	f.asked = s.now()
	o := map[string]any{"file_id": id, "file_unique_id": "u" + id, "file_path": f.path}
	if f.says > 0 {
		maps.Copy(o, map[string]any{"file_size": f.says})
	}
	return o, nil
}

// serveFile answers a request for a file. A failure asked for the method "file"
// befalls it: one that cuts and is performed sends the half of it first.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	token, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/file/bot"), "/")
	s.mu.Lock()
	s.counts["file"]++
	call := Call{Method: "file", N: s.counts["file"]}
	fail := s.failures["file"]
	var content []byte
	found := false
	for _, f := range s.files {
		if f.path == path && s.now().Sub(f.asked) < fileLife {
			content, found = f.content, true
		}
	}
	s.mu.Unlock()
	if fail != nil {
		if f := fail(call); f != nil {
			if !wait(r.Context(), s.ctx, f.Delay) {
				return
			}
			if f.Cut && f.Performed {
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
				_, _ = w.Write(content[:len(content)/2])
				_ = http.NewResponseController(w).Flush()
				cut(w)
				return
			}
			if f.fails() {
				f.write(w)
				return
			}
		}
	}
	switch {
	case token != s.Token:
		answer(w, nil, &apiError{Code: 401, Description: "Unauthorized"})
	case !found:
		answer(w, nil, &apiError{Code: 404, Description: "Not Found"})
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(content)
	}
}
