package seal

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
)

// A PhraseCost is what one guess at a phrase costs: argon2id with one lane. It
// is written into each sum, so that it can be raised at any time.
type PhraseCost struct {
	// Passes over the memory, and the memory in KiB.
	Passes, Memory uint32
}

// DefaultPhraseCost is what security.md asks for: 64 MiB, about a seventh of a
// second.
func DefaultPhraseCost() PhraseCost { return PhraseCost{Passes: 3, Memory: 64 << 10} }

const (
	phraseSalt = 16
	phraseSum  = 32
	// mostPhraseMemory and mostPhrasePasses bound what a sum may ask for: one
	// that was damaged must not take the machine with it.
	mostPhraseMemory = 1 << 20
	mostPhrasePasses = 64
)

// ErrPhrase says that something is no sum of a phrase.
var ErrPhrase = errors.New("seal: no sum of a phrase: it was damaged, or a later version wrote it")

// SumPhrase returns the phrase's sum with a fresh salt, in the form that
// argon2's own tool writes:
//
//	$argon2id$v=19$m=65536,t=3,p=1$<salt>$<sum>
//
// It fails only if random does.
func SumPhrase(cost PhraseCost, random io.Reader, phrase string) (string, error) {
	salt := make([]byte, phraseSalt)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("seal: a salt: %w", err)
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, cost.Memory, cost.Passes,
		base64.RawStdEncoding.EncodeToString(salt),
		base64.RawStdEncoding.EncodeToString(stretch(cost, salt, phrase))), nil
}

// IsPhrase reports whether the sum is the phrase's, at the cost that the sum
// was made with. It takes as long whether it is or not. It returns ErrPhrase
// for what is no sum.
func IsPhrase(sum, phrase string) (bool, error) {
	cost, salt, want, err := parsePhrase(sum)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(stretch(cost, salt, phrase), want) == 1, nil
}

func parsePhrase(sum string) (cost PhraseCost, salt, want []byte, err error) {
	parts := strings.Split(sum, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return cost, nil, nil, ErrPhrase
	}
	_, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=1", &cost.Memory, &cost.Passes)
	if err != nil || parts[3] != fmt.Sprintf("m=%d,t=%d,p=1", cost.Memory, cost.Passes) ||
		cost.Passes < 1 || cost.Passes > mostPhrasePasses || cost.Memory > mostPhraseMemory {
		return cost, nil, nil, ErrPhrase
	}
	salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil || len(salt) != phraseSalt {
		return cost, nil, nil, ErrPhrase
	}
	want, err = base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) != phraseSum {
		return cost, nil, nil, ErrPhrase
	}
	return cost, salt, want, nil
}

// Stretch returns 32 bytes that are the same for the same salt of 16 bytes,
// phrase and cost, and dear to compute.
func Stretch(cost PhraseCost, salt [phraseSalt]byte, phrase string) []byte {
	return stretch(cost, salt[:], phrase)
}

func stretch(cost PhraseCost, salt []byte, phrase string) []byte {
	return argon2.IDKey([]byte(phrase), salt, cost.Passes, cost.Memory, 1, phraseSum)
}
