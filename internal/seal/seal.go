// Package seal decides who may read. It composes age and golang.org/x/crypto
// and has no cryptography of its own.
//
// There are two seals. A [Vault] is for what the server must reopen: states
// and the outbox, bound to the place where they are kept. A [Tape] is for what
// the server must not reopen: it writes a case's transcript, format HL1, to a
// key pair whose private half was encrypted at once to the officers and then
// dropped. [ReadTranscript] is the officers' side of it.
//
// # Format HL1
//
// All integers are big-endian, all hashes SHA-256, and ‖ joins bytes.
//
//	case id   16 random bytes; 32 hexadecimal digits name the transcript
//	case key  an age hybrid identity, one an epoch; epochs count from 1
//	a_0       32 random bytes
//	header    age.Encrypt(officers and recovery) of an age identity file: '#'
//	          lines with version, case, epoch, mac0 (a_0), opened (a date),
//	          prev-head, roster-sha256, and the private half of the case key
//	head_0    SHA256("hl1 head" ‖ case id ‖ u32 epoch ‖ prev head ‖ recipient)
//	          where recipient is the case key's public half as age prints it
//	          and prev head is 32 zero bytes for the first epoch
//	entry     age.Encrypt(case key) of JSON {n, t, from, kind, text, part,
//	          parts}, padded with spaces to 256·2^k, at most 32,768 bytes
//	record    "HLE1" ‖ u64 seq ‖ u32 length of entry ‖ entry ‖ tag
//	tag       HMAC(HKDF-Expand(a_i, "hl1 mac tag"),
//	               case id ‖ u32 epoch ‖ head_i ‖ record without tag)
//	a_{i+1}   HKDF-Expand(a_i, "hl1 mac next")
//	head_{i+1} SHA256(head_i ‖ record)
//
// The record with seq i+1 is made with a_i and head_i; n equals seq. The writer
// keeps only the latest a and head, so whoever takes the server can write on
// but cannot change what was written: not a byte, not the order, not a record
// in the middle. Two things it does not show by itself: a cut tail, and a
// header and records replaced as a whole. Both show against a witness
// ([Tape.Witness]) that was written down elsewhere. Whoever can open a case
// also has a_0 and could forge its past: the chain accuses the server, not the
// officers.
package seal
