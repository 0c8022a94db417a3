package seal

import "fmt"

// Packet encrypts content to one recipient, an organisation that is no officer: an
// age file that the standard age tool opens with the recipient's key, and nobody
// else's. The key may be of either kind.
func Packet(recipient string, content []byte) ([]byte, error) {
	to, err := parseKey(recipient)
	if err != nil {
		return nil, err
	}
	sealed, err := sealTo(content, to)
	if err != nil {
		return nil, fmt.Errorf("seal: packet: %w", err)
	}
	return sealed, nil
}
