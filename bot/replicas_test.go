package bot_test

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"suar/bot"
	"suar/flows"
	"suar/internal/engine"
	"suar/internal/redistest"
	"suar/internal/seal"
	"suar/internal/telegramtest"
	"suar/storage"
	"suar/storage/storagetest"
)

// An officersSide is Mattermost as far as this test needs it: what was posted,
// once for each delivery, in the order of the posts of each conversation.
type officersSide struct {
	mu      sync.Mutex
	made    map[string]bool
	relayed map[string][]string
	posts   int
	fresh   chan struct{} // has a token after a post
}

func (o *officersSide) Deliver(_ context.Context, d engine.Delivery) (flows.Delivered, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if relay, ok := d.Effect.(flows.Relay); ok && relay.Text != "" && !o.made[d.ID] {
		o.made[d.ID] = true
		// What is written fast comes in bundles, each message on a line of its own.
		lines := strings.Split(relay.Text, "\n")
		o.relayed[d.Conversation] = append(o.relayed[d.Conversation], lines...)
		o.posts += len(lines)
		select {
		case o.fresh <- struct{}{}:
		default:
		}
	}
	return flows.Delivered{Post: flows.PostID("post-" + d.ID)}, nil
}

// await waits until so many messages were posted.
func (o *officersSide) await(t *testing.T, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		o.mu.Lock()
		posts := o.posts
		o.mu.Unlock()
		if posts >= n {
			return
		}
		select {
		case <-o.fresh:
		case <-ctx.Done():
			t.Fatalf("%d posts of %d", posts, n)
		}
	}
}

// A replica is one process of a hotline: an engine and a bot on the common
// store, with an address that Telegram's updates come to.
type replica struct {
	address string
	kill    func()
}

// A fleet is what all replicas have in common.
type fleet struct {
	*stage
	store    storage.Store
	book     *flows.Book
	officers *officersSide
	vault    *seal.Vault
	roster   seal.Recipients
}

func newFleet(t *testing.T, s *stage, store storage.Store) *fleet {
	t.Helper()
	f := &fleet{stage: s, store: store, officers: &officersSide{
		made: map[string]bool{}, relayed: map[string][]string{}, fresh: make(chan struct{}, 1),
	}}
	var err error
	if f.book, err = flows.Load(flows.Shipped(), flows.Directory{}); err != nil {
		t.Fatal(err)
	}
	key, err := seal.ParseVaultKey([]byte(strings.Repeat("0d", seal.VaultKeySize-1) + "a7"))
	if err != nil {
		t.Fatal(err)
	}
	f.vault = seal.NewVault(key)
	officer, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	public := officer.Recipient().String()
	if f.roster, err = seal.ParseRecipients([]byte("ayu officer " + public + " " + seal.Fingerprint(public) + "\n")); err != nil {
		t.Fatal(err)
	}
	return f
}

// start starts a replica. Its kill is that of a process: from then on it
// reaches nothing, and of what it had just asked of the store the first few
// things are done without its learning of it.
func (f *fleet) start() *replica {
	f.t.Helper()
	var mu sync.Mutex
	dead, last := false, 3
	store := storagetest.NewFlaky(f.store, func(storagetest.Call) storagetest.Fault {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case !dead:
			return storagetest.None
		case last > 0:
			last--
			return storagetest.Lost
		}
		return storagetest.Refused
	})
	e, err := engine.New(f.t.Context(), engine.Config{
		Flow: f.book, Store: store, Vault: f.vault,
		Officers: func() seal.Recipients { return f.roster },
		Log:      slog.New(slog.NewTextHandler(f.log, nil)),
		Limits: engine.Limits{
			Lease: 2 * time.Second, Delivery: time.Second, Grace: time.Millisecond, Poll: 50 * time.Millisecond,
		},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	b := f.bot(func(c *bot.Config) {
		c.Mode, c.Handler, c.Pace, c.Rate = bot.Webhook, e, e.Pace, 10_000
	})
	server := httptest.NewServer(b)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- e.Run(ctx, map[flows.Side]engine.Deliverer{flows.Caller: b, flows.Officers: f.officers})
	}()
	r := &replica{address: server.Listener.Addr().String()}
	r.kill = sync.OnceFunc(func() {
		mu.Lock()
		dead = true
		mu.Unlock()
		server.CloseClientConnections()
		cancel()
		server.Close()
		if err := <-ended; err != nil {
			f.t.Errorf("Run: %v", err)
		}
	})
	f.t.Cleanup(r.kill)
	return r
}

// TestReplicas has three processes receive what 20 people write, each update
// by any of them, while one after the other is killed and replaced: nothing is
// lost, nothing comes twice, and what a person wrote comes in order.
func TestReplicas(t *testing.T) {
	t.Run("memory", func(t *testing.T) { testReplicas(t, storagetest.NewMemory()) })
	t.Run("redis", func(t *testing.T) {
		s := redistest.Shared(t)
		store, err := storage.OpenRedis(t.Context(), storage.RedisConfig{
			Addresses: []string{s.Addr}, Password: s.Password, Prefix: crand.Text(),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		testReplicas(t, store)
	})
}

func testReplicas(t *testing.T, store storage.Store) {
	const people, texts, killEvery = 20, 12, 40
	random := rand.New(rand.NewPCG(1, 2))
	picked, kills := 0, make(chan struct{}, 100)
	balancer := &telegramtest.Balancer{Pick: func(n int) int {
		if picked++; picked%killEvery == 0 {
			select {
			case kills <- struct{}{}:
			default:
			}
		}
		return random.IntN(n)
	}}
	s := newStage(t, telegramtest.Options{Unchecked: true, Redeliver: time.Millisecond, Transport: balancer})
	f := newFleet(t, s, store)
	replicas := []*replica{f.start(), f.start(), f.start()}
	addresses := func() (all []string) {
		for _, r := range replicas {
			all = append(all, r.address)
		}
		return all
	}
	balancer.Set(addresses()...)
	teller := s.bot(func(c *bot.Config) {
		c.Mode, c.WebhookURL = bot.Webhook, "http://balancer.invalid/telegram"
	})
	s.run(teller) // It only tells Telegram the address.

	want := map[string][]string{}
	for i := range texts {
		for p := range people {
			chat := int64(5000 + p)
			text := fmt.Sprintf("%d: line %d", p, i)
			s.Person(chat).Say(text)
			id := f.vault.Blind("conversation", fmt.Sprint("tg:", chat))
			want[id] = append(want[id], text)
		}
	}
	drained := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		drained <- s.Drained(ctx)
	}()
	killed := 0
	for waiting := true; waiting; {
		select {
		case err := <-drained:
			if err != nil {
				t.Fatalf("not confirmed: %v", s.Pending())
			}
			waiting = false
		case <-kills:
			n := killed % len(replicas)
			replicas[n].kill()
			replicas[n] = f.start()
			balancer.Set(addresses()...)
			killed++
		}
	}
	f.officers.await(t, people*texts)
	for _, r := range replicas {
		r.kill()
	}
	if killed < 3 {
		t.Errorf("only %d replicas were killed", killed)
	}
	if diff := cmp.Diff(want, f.officers.relayed); diff != "" {
		t.Errorf("what reached the officers (-want +got):\n%s", diff)
	}
}
