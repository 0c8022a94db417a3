package standin

import (
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"
)

// maxFile is the largest upload, in bytes.
const maxFile = 20 << 20

type file struct {
	model.FileInfo
	content []byte
}

// uploadFile takes one or more files of a multipart form, or one as the body.
func (s *Server) uploadFile(c *call) (any, *refusal) {
	c.Body = http.MaxBytesReader(nil, c.Body, maxFile)
	channelID := c.URL.Query().Get("channel_id")
	var got []*file
	if parts, err := c.MultipartReader(); err == nil {
		for {
			part, err := parts.NextPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, bad("api.file.upload_file.read_request.app_error")
			}
			content, err := io.ReadAll(part)
			if err != nil {
				return nil, bad("api.file.upload_file.read_request.app_error")
			}
			switch part.FormName() {
			case "channel_id":
				channelID = string(content)
			case "files":
				got = append(got, newFile(part.FileName(), content))
			}
		}
	} else {
		content, err := io.ReadAll(c.Body)
		if err != nil {
			return nil, bad("api.file.upload_file.read_request.app_error")
		}
		got = append(got, newFile(c.URL.Query().Get("filename"), content))
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if ch := s.channels[channelID]; ch == nil || ch.members[c.user.Id] == nil && !c.user.admin() {
		return nil, forbidden()
	}
	resp := &model.FileUploadResponse{FileInfos: []*model.FileInfo{}}
	for _, f := range got {
		f.CreatorId, f.ChannelId = c.user.Id, channelID
		s.files[f.Id] = f
		info := f.FileInfo
		resp.FileInfos = append(resp.FileInfos, &info)
	}
	return created{resp}, nil
}

func newFile(name string, content []byte) *file {
	now := millis()
	return &file{content: content, FileInfo: model.FileInfo{
		Id: model.NewId(), CreateAt: now, UpdateAt: now, Name: name, Size: int64(len(content)),
		Extension: strings.TrimPrefix(filepath.Ext(name), "."), MimeType: http.DetectContentType(content),
	}}
}

// attach gives a new post its files and returns their ids. Files of somebody
// else's or of another post are left out without a word.
func (s *Server) attach(p *model.Post) model.StringArray {
	kept := model.StringArray{}
	for _, id := range p.FileIds {
		if f := s.files[id]; f != nil && f.PostId == "" && f.CreatorId == p.UserId {
			f.PostId = p.Id
			kept = append(kept, id)
		}
	}
	return kept
}

func (s *Server) getFileInfo(c *call) (any, *refusal) {
	f := s.files[c.PathValue("file")]
	if f == nil {
		return nil, missing("app.file_info.get.app_error")
	}
	if !s.mayRead(c.user, f.ChannelId) {
		return nil, forbidden()
	}
	return &f.FileInfo, nil
}

func (s *Server) getFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	u := s.who(bearer(r))
	f := s.files[r.PathValue("file")]
	may := u != nil && f != nil && s.mayRead(u, f.ChannelId)
	s.mu.Unlock()
	switch {
	case u == nil:
		answer(w, nil, &refusal{http.StatusUnauthorized, "api.context.session_expired.app_error"})
	case f == nil:
		answer(w, nil, missing("app.file_info.get.app_error"))
	case !may:
		answer(w, nil, forbidden())
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
		// A client that is gone needs no answer.
		_, _ = w.Write(f.content)
	}
}
