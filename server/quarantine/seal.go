package quarantine

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// magic is the start of every file: what it is, and in which version.
const magic = "hookd-quarantine-1\n"

const keySize = 32 // AES-256

// sealer encrypts the files with AES-256-GCM: they hold headers with
// credentials, and bodies that were never proved to be harmless. The key is a
// file of its own, so that a copy of the folder is not enough.
type sealer struct {
	file string

	mu   sync.Mutex
	aead cipher.AEAD // nil until there is a key
}

// newSealer reads the key, where there is one already.
func newSealer(file string) (*sealer, error) {
	s := &sealer{file: file}
	key, err := os.ReadFile(file) //nolint:gosec // the operator names the folder
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		return nil, err
	case len(key) != keySize:
		return nil, fmt.Errorf("%s has %d bytes, not the %d of a key: restore it, or remove it to start with a new one", file, len(key), keySize)
	}
	if st, err := os.Stat(file); err == nil && runtime.GOOS != "windows" && st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others: chmod 600 it", file)
	}
	s.aead, err = newAEAD(key)
	return s, err
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// ready is the cipher; the key is made on first use. It is on the disk before
// anything is sealed with it.
func (s *sealer) ready() (cipher.AEAD, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aead != nil {
		return s.aead, nil
	}
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails since Go 1.24
	if err := writeKey(s.file, key); err != nil {
		return nil, err
	}
	var err error
	s.aead, err = newAEAD(key)
	return s.aead, err
}

func writeKey(file string, key []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	_, err = tmp.Write(key)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}

// seal encrypts text; name is bound to it, so that no file can stand for
// another.
func (s *sealer) seal(text, name []byte) ([]byte, error) {
	aead, err := s.ready()
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(magic)+len(text)+aead.Overhead())
	return aead.Seal(append(out, magic...), nil, text, append([]byte(magic), name...)), nil //nolint:gosec // the nonce is random, and made by aead
}

var (
	errNoKey   = errors.New("there is no key")
	errForeign = errors.New("not a file of the quarantine")
	errSealed  = errors.New("cannot be opened: it is damaged, or the key is another one")
)

func (s *sealer) open(sealed, name []byte) ([]byte, error) {
	s.mu.Lock()
	aead := s.aead
	s.mu.Unlock()
	if aead == nil {
		return nil, errNoKey
	}
	if len(sealed) < len(magic) || string(sealed[:len(magic)]) != magic {
		return nil, errForeign
	}
	text, err := aead.Open(nil, nil, sealed[len(magic):], append([]byte(magic), name...))
	if err != nil {
		return nil, errSealed // the cipher says no more than that
	}
	return text, nil
}
