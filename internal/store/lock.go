package store

import (
	"errors"
	"fmt"
	"io"
	"os"
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

// takeClean reports whether the database file is as a process left it that closed
// it well, and forgets that.
func (s *sideFile) takeClean() bool {
	said, err := io.ReadAll(io.LimitReader(s.f, 200))
	if err != nil || s.f.Truncate(0) != nil {
		return false
	}
	state, err := s.state()
	return err == nil && string(said) == state
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
