package handoff

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"suar/flows"
	"suar/internal/engine"
)

// mac is HMAC-SHA256 over a purpose and fields, each with its length before it,
// so that no two different lists give the same input.
func (d *Desk) mac(purpose string, fields ...string) []byte {
	h := hmac.New(sha256.New, d.Key)
	for _, f := range append([]string{"suar handoff 1", purpose}, fields...) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(f))))
		h.Write([]byte(f))
	}
	return h.Sum(nil)
}

// relayKey names a part of a delivery in the post's properties, where we look
// for it before we post again. Officers can read it, so nothing that must not
// be guessed is derived from it.
func (d *Desk) relayKey(delivery string, part int) string {
	return hex.EncodeToString(d.mac("relay", delivery, strconv.Itoa(part))[:16])
}

// pendingID is what the server itself knows a repeated post by, for 30 s. It is
// shared between all users, so nobody may guess it.
func (d *Desk) pendingID(delivery string, part int) string {
	return hex.EncodeToString(d.mac("pending", delivery, strconv.Itoa(part))[:16])
}

// A buttonContext is what a button carries. Mattermost shows it to nobody and sends it
// to us with a press.
type buttonContext struct {
	Conversation string `json:"conversation"`
	Action       string `json:"action"`
	Choice       string `json:"choice,omitempty"`
	Label        string `json:"label"`
	Confirm      string `json:"confirm,omitempty"`
	// Form says that a press opens a form.
	Form bool `json:"form,omitempty"`
	// Card is the card of a button that stands under another post of ours.
	Card string `json:"card,omitempty"`
	MAC  string `json:"mac"`
}

// lineButton is a button under a post in the case's thread.
func (d *Desk) lineButton(dl engine.Delivery, a flows.Action) buttonContext {
	b := d.buttonFor(dl, a)
	b.Card = string(dl.Thread)
	b.MAC = hex.EncodeToString(d.buttonMAC(b))
	return b
}

// fields is a context as Mattermost keeps it.
func (b buttonContext) fields() map[string]any {
	all := map[string]any{
		"conversation": b.Conversation, "action": b.Action, "choice": b.Choice, "label": b.Label, "confirm": b.Confirm, "mac": b.MAC,
	}
	if b.Card != "" {
		all["card"] = b.Card
	}
	if b.Form {
		all["form"] = true
	}
	return all
}

func (d *Desk) buttonFor(dl engine.Delivery, a flows.Action) buttonContext {
	b := buttonContext{Conversation: dl.Conversation, Action: string(a.Name), Choice: a.Choice, Label: a.Label, Confirm: a.Confirm, Form: a.Form}
	b.MAC = hex.EncodeToString(d.buttonMAC(b))
	return b
}

func (d *Desk) buttonMAC(b buttonContext) []byte {
	if b.Form {
		return d.mac("button of a form", b.Card, b.Conversation, b.Action, b.Choice, b.Label, b.Confirm)
	}
	if b.Card != "" {
		return d.mac("button of a line", b.Card, b.Conversation, b.Action, b.Choice, b.Label, b.Confirm)
	}
	fields := []string{b.Conversation, b.Action, b.Label, b.Confirm}
	if b.Choice != "" { // Cards that hang in the channel were signed without one.
		fields = append(fields, b.Choice)
	}
	return d.mac("button", fields...)
}

// readButton returns the context of one of our buttons, and whether it is one.
func (d *Desk) readButton(context map[string]any) (buttonContext, bool) {
	var b buttonContext
	raw, err := json.Marshal(context)
	if err != nil || json.Unmarshal(raw, &b) != nil {
		return b, false
	}
	got, err := hex.DecodeString(b.MAC)
	return b, err == nil && hmac.Equal(got, d.buttonMAC(b))
}

// A question is what a dialog carries, signed: the dialog itself goes to the
// officer's client, and its answer may come from anybody.
type question struct {
	Post         string `json:"p"`
	Conversation string `json:"c"`
	User         string `json:"u"`
	Action       string `json:"a"`
	Choice       string `json:"o,omitempty"`
	// Press is the press that asked: one press, one answer.
	Press  string `json:"n"`
	Expiry int64  `json:"e"` // Unix seconds
	// Stamp is that of the form that was shown, "" for a mere question. Shown tells
	// again the values whose preview was shown.
	Stamp string `json:"s,omitempty"`
	Shown string `json:"v,omitempty"`
}

func (d *Desk) signQuestion(q question) (string, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return "", err
	}
	b64 := base64.RawURLEncoding
	return b64.EncodeToString(body) + "." + b64.EncodeToString(d.mac("question", string(body))), nil
}

// readQuestion returns the question that a state holds, and whether we signed
// it and it has not expired.
func (d *Desk) readQuestion(state string, now time.Time) (question, bool) {
	var q question
	body, sum, _ := strings.Cut(state, ".")
	raw, err1 := base64.RawURLEncoding.DecodeString(body)
	got, err2 := base64.RawURLEncoding.DecodeString(sum)
	if err1 != nil || err2 != nil || !hmac.Equal(got, d.mac("question", string(raw))) {
		return q, false
	}
	if json.Unmarshal(raw, &q) != nil {
		return q, false
	}
	return q, now.Unix() < q.Expiry
}

// A trigger is what Mattermost signs of a press.
type trigger struct {
	id, user string
	at       time.Time
}

// readTrigger verifies a trigger id: base64 of "id:user:milliseconds:signature",
// where the signature is ECDSA P-256 of what is before it. What is signed is
// unique to the press; the signature is not, since another one can be derived
// from it.
func readTrigger(key *ecdsa.PublicKey, triggerID string) (trigger, bool) {
	raw, err := base64.StdEncoding.DecodeString(triggerID)
	if err != nil {
		return trigger{}, false
	}
	part := strings.Split(string(raw), ":")
	if len(part) != 4 || len(part[0]) != 26 {
		return trigger{}, false
	}
	signature, err := base64.StdEncoding.DecodeString(part[3])
	if err != nil {
		return trigger{}, false
	}
	sum := sha256.Sum256([]byte(strings.Join(part[:3], ":") + ":"))
	if !ecdsa.VerifyASN1(key, sum[:], signature) {
		return trigger{}, false
	}
	ms, err := strconv.ParseInt(part[2], 10, 64)
	if err != nil {
		return trigger{}, false
	}
	return trigger{id: part[0], user: part[1], at: time.UnixMilli(ms)}, true
}

// parseServerKey reads Mattermost's public key: base64 of its PKIX form.
func parseServerKey(text string) (*ecdsa.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("handoff: the server's public key is not base64")
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, errors.New("handoff: the server's public key cannot be read")
	}
	k, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("handoff: the server's public key is a %T, want ECDSA", key)
	}
	return k, nil
}
