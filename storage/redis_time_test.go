package storage_test

import (
	"testing"
	"time"

	"suar/internal/redistest"
	"suar/storage"
)

// TestRedisTime asks for the server's clock, which only goes forward between
// two questions.
func TestRedisTime(t *testing.T) {
	server := redistest.Shared(t)
	store := openRedis(t, storage.RedisConfig{
		Addresses: []string{server.Addr}, Password: server.Password, Prefix: newPrefix(),
	})
	first, err := store.Time(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := store.Time(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The server runs on this machine.
	if second.Before(first) || time.Until(first).Abs() > time.Hour {
		t.Errorf("the server's clock says %v and then %v", first, second)
	}
}
