package engine

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"suar/flows"
	"suar/internal/seal"
)

// The keeper is the engine itself: it performs what is slow on purpose. A guess
// at a word must cost memory and time, so one process computes one at a time, in
// a lane of its own: whatever waits there, no card, no reply and no bubble waits
// behind it. Whose turn it is: see turns.

// compute performs an effect to the keeper. It cannot fail but for randomness:
// what is no sum matches nothing.
func (e *Engine) compute(ef flows.Effect) (flows.Event, error) {
	switch ef := ef.(type) {
	case flows.Hash:
		out := flows.Hashed{For: ef.For, Note: ef.Note}
		phrase := flows.FoldWord(ef.Text)
		if ef.Index {
			out.Sum = e.indexOf(phrase)
			return out, nil
		}
		var err error
		out.Sum, err = seal.SumPhrase(e.cost, e.rand, phrase)
		return out, err
	case flows.Check:
		out := flows.Checked{For: ef.For, Note: ef.Note, Text: ef.Text, Match: -1}
		phrase := flows.FoldWord(ef.Text)
		for i, sum := range ef.Sums { // All of them, so that it takes as long either way.
			ok, err := seal.IsPhrase(sum, phrase)
			if err != nil {
				e.counts.damaged.Add(1)
				e.log.ErrorContext(context.Background(), "a sum does not read", "effect", flows.EffectKind(ef))
			}
			if ok && out.Match < 0 {
				out.Match = i
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("%w: an effect of kind %q is not the keeper's", ErrStep, flows.EffectKind(ef))
}

// indexOf returns under what a phrase can be looked up: 32 hexadecimal digits,
// the same for all processes that share the vault's key.
func (e *Engine) indexOf(phrase string) string {
	mac := hmac.New(sha256.New, e.vault.Derive("engine code index"))
	mac.Write(seal.Stretch(e.cost, [16]byte(e.vault.Derive("engine code salt")), phrase))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
