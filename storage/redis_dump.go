package storage

import (
	"context"
	"slices"
	"strings"
)

// dumpPage is how many conversations are listed in one call.
const dumpPage = 500

// Dump implements Store. A conversation is of one instant with its
// transcripts. What is added while it runs may be left out.
func (r *Redis) Dump(ctx context.Context, yield func(Piece) error) error {
	// A transcript that gets a conversation meanwhile is given again with it,
	// and the later counts.
	err := r.all(ctx, "orphans", func(name string) error {
		t, err := r.Transcript(ctx, name)
		if err == ErrNotFound { //nolint:errorlint // It is what Transcript returns.
			return nil // It was forgotten meanwhile.
		}
		if err != nil {
			return err
		}
		return yield(Piece{Transcripts: map[string]Transcript{name: t}})
	})
	if err != nil {
		return err
	}
	return r.all(ctx, "ids", func(id string) error {
		reply, err := r.call(ctx, r.scripts.dump, id)
		if err != nil {
			return err
		}
		p, err := redisPiece(id, reply)
		if err != nil {
			return err
		}
		if p.empty() {
			return nil // It was erased meanwhile.
		}
		return yield(p)
	})
}

// all calls yield with the members of a sorted set, in order.
func (r *Redis) all(ctx context.Context, key string, yield func(string) error) error {
	for from := "-"; ; {
		members, err := r.span(ctx, key, from, "+", dumpPage)
		if err != nil {
			return err
		}
		for _, m := range members {
			if err := yield(m); err != nil {
				return err
			}
		}
		if len(members) < dumpPage {
			return nil
		}
		from = "(" + members[len(members)-1]
	}
}

func (p *Piece) empty() bool {
	return p.Version == 0 && len(p.Events) == 0 && len(p.Items) == 0 && len(p.Transcripts) == 0
}

// redisPiece reads what dump.lua answers.
func redisPiece(id string, reply any) (Piece, error) {
	p := Piece{ID: id}
	parts, ok := reply.([]any)
	lanes := Lanes()
	if !ok || len(parts) <= len(lanes) || (len(parts)-1-len(lanes))%2 != 0 {
		return p, errRedisReply
	}
	fields, err := redisTexts(parts[0])
	if err != nil || len(fields)%2 != 0 {
		return p, errRedisReply
	}
	if err := p.setFields(fields); err != nil {
		return p, err
	}
	for i, lane := range lanes {
		queue, err := redisTexts(parts[1+i])
		if err != nil {
			return p, err
		}
		if len(queue)%2 != 0 {
			return p, errRedisLayout
		}
		for pair := range slices.Chunk(queue, 2) {
			q, err := redisItemOf(pair[0], lane, pair[1])
			if err != nil {
				return p, err
			}
			p.Items = append(p.Items, q)
		}
	}
	for pair := range slices.Chunk(parts[1+len(lanes):], 2) {
		name, ok := pair[0].(string)
		if !ok {
			return p, errRedisReply
		}
		pages, err := redisTexts(pair[1])
		if err != nil {
			return p, err
		}
		t, err := redisTranscript(pages)
		if err != nil {
			return p, err
		}
		if p.Transcripts == nil {
			p.Transcripts = make(map[string]Transcript)
		}
		p.Transcripts[name] = t
	}
	return p, nil
}

// setFields reads a conversation's hash.
func (p *Piece) setFields(fields []string) error {
	var version, state, alarm string
	for pair := range slices.Chunk(fields, 2) {
		field, value := pair[0], pair[1]
		var err error
		switch {
		case field == "v":
			version = value
		case field == "s":
			state = value
		case field == "a":
			alarm = value
		case field == "n":
			p.Names, err = redisNamesOf(value)
		case strings.HasPrefix(field, "e"):
			h := Handled{Event: field[1:]}
			h.At, err = redisInstantOf(value)
			p.Events = append(p.Events, h)
		}
		if err != nil {
			return err
		}
	}
	if version == "" {
		return nil
	}
	r, err := redisRecord(version, state, alarm)
	p.Version, p.State, p.Alarm = r.Version, r.State, r.Alarm
	return err
}
