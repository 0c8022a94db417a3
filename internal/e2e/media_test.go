package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"suar/internal/mattermosttest"
	"suar/internal/scrub/scrubtest"
	"suar/internal/telegramtest"
)

// TestPhotoOfACase carries a photo and a voice message from a person to the
// officers, with nothing but the program: refused before an officer allowed
// them, cleaned by a process of its own, sealed until somebody asks, shown once,
// and then gone from the server's own store.
func TestPhotoOfACase(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, w *mattermosttest.World) { photoOfACase(t, newHotline(t, w, nil)) })
}

func photoOfACase(t *testing.T, h *hotline) {
	ctx := patient(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w := h.world
	siti := w.Officers[0]
	client := w.Watch(siti)
	channel := watch(t, w, w.Officers[1])
	h.start()
	p := &person{Person: h.telegram.Person(7001)}
	p.Start()
	must(p.walk(ctx, danger...))
	th, err := channel.nextRoot(ctx, 0)
	must(err)
	must(p.hearKey(ctx, "ui.status.alerting"))
	if status := w.Press(siti, th.root.ID, "claim"); status != http.StatusOK {
		t.Fatalf("the press answers %d", status)
	}
	must(p.hearKey(ctx, "ui.status.claimed"))

	photo, voice := scrubtest.JPEG(640, 480), scrubtest.Voice(200)
	p.SendFile(telegramtest.File{Kind: telegramtest.Photo, Content: photo}, "")
	must(p.hearKey(ctx, "ui.media"))
	if n := h.telegram.Count("getFile") + h.telegram.Count("file"); n != 0 {
		t.Fatalf("%d files were fetched before anybody allowed it", n)
	}

	confirm(t, w, client, siti, func() int { return w.Choose(siti, th.root.ID, "more", "media:mark") })
	p.SendFile(telegramtest.File{Kind: telegramtest.Document, Content: photo, Type: "image/jpeg"}, "")
	line, err := th.hearPart(ctx, "Foto 1, ")
	must(err)
	p.SendFile(telegramtest.File{Kind: telegramtest.Voice, Content: voice}, "")
	_, err = th.hearPart(ctx, "Pesan suara 2, ")
	must(err)
	p.SendFile(telegramtest.File{Kind: telegramtest.Document, Content: []byte("%PDF-1.7"), Type: "image/jpeg"}, "")
	must(p.hearKey(ctx, "ui.media_unsuited"))

	if status := w.Press(siti, line.ID, "show"); status != http.StatusOK {
		t.Fatalf("the press answers %d", status)
	}
	shown := await(t, "the photo is in the thread", func() (string, bool) {
		for _, post := range w.Thread(th.root.ID) {
			if len(post.FileIds) > 0 {
				return post.FileIds[0], true
			}
		}
		return "", false
	})
	content, _, err := siti.Client().GetFile(ctx, shown)
	must(err)
	if len(content) < 1000 || !bytes.HasPrefix(content, photo[:2]) || bytes.Contains(content, []byte(scrubtest.Canary)) {
		t.Errorf("the officer gets %d bytes of which some are %q: %t", len(content), scrubtest.Canary, bytes.Contains(content, []byte(scrubtest.Canary)))
	}
	await(t, "the line says that it was shown", func() (string, bool) {
		post, _, err := siti.Client().GetPost(ctx, line.ID, "")
		return "", err == nil && len(post.Attachments()) == 0 && strings.Contains(post.Message, "siti")
	})
	h.stop()
	noFaults(t, h)
	for name, file := range files(t, h.data) {
		if bytes.Contains(file, []byte(scrubtest.Canary)) || bytes.Contains(file, voice[len(voice)-2000:len(voice)-1000]) || bytes.Contains(file, content[len(content)-500:]) {
			t.Errorf("%s holds bytes of what was sent", name)
		}
	}
	if log := h.printed(); bytes.Contains(log, []byte(telegramtest.CanaryFile)) {
		t.Error("the log names a file")
	}

	out, errs, exit := h.run("open", caseCode.FindString(th.root.Message), "--store", h.copyOfStore(), "-i", h.officer, "--passphrase-file", h.passphraseFile)
	sum := sha256.Sum256(photo)
	if exit != 0 || !strings.Contains(out, "SHA-256 "+hex.EncodeToString(sum[:])) {
		t.Errorf("suar open exits with %d, and the transcript does not hold the original's hash:\n%s%s", exit, out, errs)
	}
}
