package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// sideFile lies beside a database file while a process uses it. It keeps a
// second process out and remembers whether the last one closed the file well.
type sideFile struct {
	f  *os.File
	db string
}

func lockFile(db string) (*sideFile, error) {
	f, err := os.OpenFile(db+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%w (%s)", err, f.Name()), f.Close())
	}
	return &sideFile{f, db}, nil
}

// ErrRestoring means that usher restore was broken off half way.
var ErrRestoring = errors.New("a restore of this database was broken off: run usher restore again")

// restoring begins the note of a restore that is under way. What follows is the
// end of the names under which it sets aside what was there.
const restoring = "restoring "

func (s *sideFile) note() (string, error) {
	said, err := io.ReadAll(io.NewSectionReader(s.f, 0, 200))
	return string(said), err
}

// notRestoring fails with ErrRestoring if the note beside a database says so.
func notRestoring(db string) error {
	said, err := os.ReadFile(db + ".lock")
	if err == nil && strings.HasPrefix(string(said), restoring) {
		return ErrRestoring
	}
	return nil
}

// setNote replaces the note, on the disk when it returns.
func (s *sideFile) setNote(text string) error {
	if err := s.f.Truncate(0); err != nil {
		return err
	}
	if _, err := s.f.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return s.f.Sync()
}

// takeClean reports whether the database file is as a process left it that closed
// it well, and forgets that. A restore that was broken off is ErrRestoring.
func (s *sideFile) takeClean() (bool, error) {
	said, err := s.note()
	if strings.HasPrefix(said, restoring) {
		return false, ErrRestoring
	}
	if err != nil || s.f.Truncate(0) != nil {
		return false, nil
	}
	state, err := s.state()
	return err == nil && said == state, nil
}

// close ends the lock. The database is closed already; closed says how well.
// Without the note, which another process that still uses the file prevents, the
// next start checks the file.
func (s *sideFile) close(closed error) error {
	if state, err := s.state(); closed == nil && err == nil {
		_, closed = s.f.WriteAt([]byte(state), 0)
	}
	return errors.Join(closed, s.f.Close())
}

// state describes a file without a log beside it, or fails.
func (s *sideFile) state() (string, error) {
	if log, err := os.Stat(s.db + "-wal"); err == nil && log.Size() > 0 {
		return "", errors.New("a write-ahead log was left behind")
	}
	info, err := os.Stat(s.db)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("closed well: %d bytes, written %d", info.Size(), info.ModTime().UnixNano()), nil
}
