package storage

import "encoding/binary"

// An owner is a conversation as the file knows it. Its serial is 0 if nothing
// is kept of it.
type owner struct {
	id     string
	serial uint64
}

func (t *table) owner(id string) owner {
	o := owner{id: id}
	if b := t.get(key(kindSerial, id)); b != nil {
		o.serial = binary.BigEndian.Uint64(b)
	}
	return o
}

// ownerOf returns the owner of a serial. Its ID is empty if the file is damaged.
func (t *table) ownerOf(serial uint64) owner {
	return owner{id: string(t.get(partKey(serial, partID))), serial: serial}
}

// admit gives the owner a serial if it has none.
func (t *table) admit(o *owner) {
	if o.serial != 0 {
		return
	}
	o.serial = t.next()
	t.put(key(kindSerial, o.id), binary.BigEndian.AppendUint64(nil, o.serial))
	t.put(partKey(o.serial, partID), []byte(o.id))
}

// retire forgets the owner if nothing else is kept of it.
func (t *table) retire(o owner) {
	for k := range t.all(conversationKey(o.serial)) {
		if k[serialSize] != partID {
			return
		}
	}
	t.delete(key(kindSerial, o.id))
	t.delete(partKey(o.serial, partID))
}

// record returns the owner's record; its version is 0 if there is none.
func (t *table) record(o owner) boltRecord {
	if o.serial != 0 {
		if b := t.get(partKey(o.serial, partRecord)); b != nil {
			return decodeRecord(b)
		}
	}
	return boltRecord{}
}
