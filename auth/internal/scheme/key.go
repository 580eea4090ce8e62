package scheme

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // senders that sign with HMAC-SHA1 leave no choice
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
	"io"
	"sync"

	"github.com/hookd/hookd/internal/secret"
)

// Name is the name that senders write: "sha256".
func (h Hash) Name() string { return [...]string{"sha256", "sha1", "sha512"}[h] }

// Size is the length of a digest in bytes.
func (h Hash) Size() int { return [...]int{sha256.Size, sha1.Size, sha512.Size}[h] }

func (h Hash) new() func() hash.Hash {
	return [...]func() hash.Hash{sha256.New, sha1.New, sha512.New}[h]
}

// digest has room for the longest.
type digest [sha512.Size]byte

// key is one secret under one hash. It computes without allocating once it is
// warm: the state after the key block is kept by hmac itself across Reset.
type key struct {
	pool sync.Pool
	size int
}

// state is what one computation needs. scratch takes strings on their way into
// the hash, which has no method for them.
type state struct {
	w       io.Writer // h, or a buffer where the bytes themselves are wanted
	h       hash.Hash
	scratch []byte
	sum     digest
	key     []byte // of a Digest, for {secret}
}

// material turns the configured secret into the bytes of the key.
func (k Key) material(s secret.String) ([]byte, error) {
	text := s.Reveal()
	if k.Strip != "" && len(text) > len(k.Strip) && text[:len(k.Strip)] == k.Strip {
		text = text[len(k.Strip):]
	}
	b := []byte(text)
	if k.Enc != Plain {
		b = make([]byte, len(text))
		n, ok := k.Enc.decode(b, text)
		if !ok {
			return nil, errors.New("the secret is not " + k.Enc.name())
		}
		b = b[:n]
	}
	if k.SHA1 {
		sum := sha1.Sum(b) //nolint:gosec // as the sender derives it
		b = sum[:]
	}
	if len(b) == 0 {
		return nil, errors.New("the secret is empty")
	}
	return b, nil
}

func newKey(kind Kind, h Hash, material []byte) *key {
	k := &key{size: h.Size()}
	k.pool.New = func() any {
		st := &state{key: material}
		if kind == Digest {
			st.h = h.new()()
		} else {
			st.h = hmac.New(h.new(), material)
		}
		st.w = st.h
		return st
	}
	return k
}

// sum computes the digest of the template over in.
func (k *key) sum(dst *digest, t template, in *input) (code string) {
	st, ok := k.pool.Get().(*state)
	if !ok {
		panic("scheme: foreign state in the pool")
	}
	defer k.pool.Put(st)
	st.h.Reset()
	if code = t.write(st, in); code != "" {
		return code
	}
	st.h.Sum(st.sum[:0])
	*dst = st.sum
	return ""
}

// string writes s without a conversion that allocates.
func (st *state) string(s string) {
	st.scratch = append(st.scratch[:0], s...)
	_, _ = st.w.Write(st.scratch)
	if cap(st.scratch) > 64<<10 {
		st.scratch = nil // one large URL or form must not stay forever
	}
}
