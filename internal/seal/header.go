package seal

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"

	"suar/internal/caseid"
)

var (
	// ErrNotRecipient says that none of the identities opens the case: it was
	// sealed to others.
	ErrNotRecipient = errors.New("seal: none of these keys opens the case: it was sealed to others")
	// ErrHeader says that the header is not one of format HL1: it was changed,
	// cut or swapped. Without it nothing of the case can be opened.
	ErrHeader = errors.New("seal: the header is damaged: without it the case cannot be opened")
)

const (
	formatName = "HL1"
	dateOnly   = "2006-01-02"
	// maxHeader bounds what is read of a header's plain text.
	maxHeader = 64 << 10
)

// A header is what the officers unwrap: the case key and where the chain
// begins.
type header struct {
	caseID   CaseID
	epoch    uint32
	mac0     [32]byte
	opened   time.Time // the date
	prevHead [32]byte
	roster   [32]byte
	identity *age.HybridIdentity
}

// marshal writes the header as an age identity file.
func (h header) marshal() []byte {
	var b bytes.Buffer
	for _, line := range [][2]string{
		{"version", formatName},
		{"case", h.caseID.String()},
		{"epoch", strconv.FormatUint(uint64(h.epoch), 10)},
		{"mac0", hex.EncodeToString(h.mac0[:])},
		{"opened", h.opened.Format(dateOnly)},
		{"prev-head", hex.EncodeToString(h.prevHead[:])},
		{"roster-sha256", hex.EncodeToString(h.roster[:])},
	} {
		fmt.Fprintf(&b, "# %s: %s\n", line[0], line[1])
	}
	fmt.Fprintf(&b, "%s\n", h.identity)
	return b.Bytes()
}

// openHeader decrypts and parses a header.
func openHeader(sealed []byte, identities []age.Identity) (header, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), identities...)
	if err != nil {
		if none := new(age.NoIdentityMatchError); errors.As(err, &none) {
			return header{}, ErrNotRecipient
		}
		return header{}, fmt.Errorf("%w: %w", ErrHeader, err)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxHeader+1))
	if err != nil {
		return header{}, fmt.Errorf("%w: %w", ErrHeader, err)
	}
	h, err := parseHeader(text)
	if err != nil {
		return header{}, fmt.Errorf("%w: %w", ErrHeader, err)
	}
	return h, nil
}

// parseHeader reads what marshal wrote. It ignores '#' lines that it does not
// know, so that later versions may add some. Its errors hold no values.
func parseHeader(text []byte) (header, error) {
	if len(text) > maxHeader {
		return header{}, errors.New("too long")
	}
	fields := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		comment, ok := strings.CutPrefix(lines.Text(), "# ")
		name, value, found := strings.Cut(comment, ": ")
		if !ok || !found {
			continue
		}
		if _, twice := fields[name]; twice {
			return header{}, fmt.Errorf("%.32q is there twice", name)
		}
		fields[name] = value
	}
	if fields["version"] != formatName {
		return header{}, errors.New("version: want " + formatName)
	}
	var h header
	var err error
	if h.caseID, err = caseid.Parse(fields["case"]); err != nil {
		return header{}, err
	}
	e, err := strconv.ParseUint(fields["epoch"], 10, 32)
	if err != nil || e == 0 {
		return header{}, errors.New("epoch: want a number from 1")
	}
	h.epoch = uint32(e)
	if h.opened, err = time.Parse(dateOnly, fields["opened"]); err != nil {
		return header{}, errors.New("opened: want a date")
	}
	for name, to := range map[string]*[32]byte{"mac0": &h.mac0, "prev-head": &h.prevHead, "roster-sha256": &h.roster} {
		raw, err := hex.DecodeString(fields[name])
		if err != nil || len(raw) != len(to) {
			return header{}, fmt.Errorf("%s: want 64 hexadecimal digits", name)
		}
		copy(to[:], raw)
	}
	ids, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil {
		return header{}, errors.New("no case key")
	}
	key, ok := ids[0].(*age.HybridIdentity)
	if len(ids) != 1 || !ok {
		return header{}, errors.New("want one hybrid case key")
	}
	h.identity = key
	return h, nil
}

// sealTo encrypts plain to the recipients, as one age file.
func sealTo(plain []byte, recipients ...age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipients...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
