package wechat

import (
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestPush_RandomMutations changes a valid push in a random way, again and again:
// bytes turned, cut out, put in, doubled, moved between the fields, taken from
// another push. None is accepted but one that says the same as before.
// USHER_PUSHES says how many, as 1000000, and USHER_SEED where they begin.
func TestPush_RandomMutations(t *testing.T) {
	n, seed := 50_000, uint64(1)
	if many, err := strconv.Atoi(os.Getenv("USHER_PUSHES")); err == nil {
		n = many
	}
	if s, err := strconv.ParseUint(os.Getenv("USHER_SEED"), 10, 64); err == nil {
		seed = s
	}
	r := testReceiver(t)
	want, err := r.OpenPush(sampleQuery, []byte(sampleBody))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(seed, 8))
	values, err := url.ParseQuery(sampleQuery)
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{"timestamp", "nonce", "encrypt_type", "msg_signature", "signature"}
	same := 0
	for i := range n {
		body := []byte(sampleBody)
		q := url.Values{}
		for k, v := range values {
			q[k] = slices.Clone(v)
		}
		for range 1 + random.IntN(3) {
			if random.IntN(3) > 0 {
				body = mutate(random, body)
				continue
			}
			k := keys[random.IntN(len(keys))]
			v := string(mutate(random, []byte(q.Get(k))))
			if random.IntN(8) == 0 { // what one field loses another gets
				other := keys[random.IntN(len(keys))]
				q.Set(other, q.Get(other)+v)
			}
			q.Set(k, v)
		}
		p, err := r.OpenPush(q.Encode(), body)
		switch {
		case err != nil && strings.HasPrefix(string(class(err)), "unclassified"):
			t.Fatalf("seed %d, push %d: %v, want a Refusal", seed, i, err)
		case err == nil && (p.Digest != want.Digest || p.Payload != want.Payload):
			t.Fatalf("seed %d, push %d was accepted: %q %q", seed, i, q.Encode(), body)
		case err == nil:
			same++ // such as another space between elements
		}
	}
	if same > n/4 {
		t.Errorf("%d of %d changes left the push as it was, so this proves little", same, n)
	}
}

// mutate changes b somewhere.
func mutate(random *rand.Rand, b []byte) []byte {
	b = slices.Clone(b)
	if len(b) == 0 {
		return []byte{byte(random.IntN(256))}
	}
	at := random.IntN(len(b))
	n := min(1+random.IntN(40), len(b)-at)
	switch random.IntN(7) {
	case 0:
		b[at] ^= 1 << random.IntN(8)
	case 1:
		b[at] = byte(random.IntN(256))
	case 2:
		b = slices.Delete(b, at, at+n)
	case 3:
		b = slices.Insert(b, at, byte(random.IntN(256)))
	case 4: // doubled
		b = slices.Insert(b, at, slices.Clone(b[at:at+n])...)
	case 5: // moved
		part := slices.Clone(b[at : at+n])
		b = slices.Delete(b, at, at+n)
		b = slices.Insert(b, random.IntN(len(b)+1), part...)
	case 6: // a letter of the alphabet in use
		b[at] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=<>![]&;"[random.IntN(72)]
	}
	return b
}
