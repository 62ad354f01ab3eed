package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"sync"

	"usher/internal/failpoint"
)

// spoolSize is how much of the disk is taken in advance, enough for some hundred
// answers of WeChat.
const spoolSize = 1 << 20

// spoolSuffix makes the name of the file beside the database.
const spoolSuffix = ".spool"

const (
	spoolHead = 9 // length, checksum, state
	spoolWait = 'w'
	spoolDone = 'd'
)

var errSpoolFull = errors.New("the spool is full")

// spool is a file beside a SQLite database that takes what the database does not
// take: its space was allocated when the disk was not full. A nil spool takes
// nothing. Records are opaque.
type spool struct {
	mu      sync.Mutex
	f       *os.File
	end     int64 // where the next record goes
	waiting int   // records that are not done
}

// record is one entry that waits.
type record struct {
	at   int64
	text []byte
}

// openSpool opens or makes the file and returns what waits in it, oldest first.
func openSpool(path string) (*spool, []record, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, err
	}
	p := &spool{f: f}
	waiting, err := p.load()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return p, waiting, nil
}

// load fills the file up with zeros and reads its records up to the first that
// is not whole: one that was cut off by a crash was never relied upon.
func (p *spool) load() ([]record, error) {
	info, err := p.f.Stat()
	if err != nil {
		return nil, err
	}
	if missing := spoolSize - info.Size(); missing > 0 {
		if _, err := p.f.WriteAt(make([]byte, missing), info.Size()); err != nil {
			return nil, err
		}
		if err := p.f.Sync(); err != nil {
			return nil, err
		}
	}
	all := make([]byte, spoolSize)
	if _, err := p.f.ReadAt(all, 0); err != nil {
		return nil, err
	}
	waiting, end := parseSpool(all)
	p.end, p.waiting = end, len(waiting)
	if p.waiting == 0 {
		p.end = 0
	}
	return waiting, nil
}

// parseSpool reads the records that wait, and where the next one goes.
func parseSpool(all []byte) (waiting []record, end int64) {
	size := int64(len(all))
	for end+spoolHead < size {
		head := all[end:]
		n := int64(binary.LittleEndian.Uint32(head))
		if n == 0 || end+spoolHead+n > size {
			break
		}
		text := head[spoolHead : spoolHead+n]
		if crc32.ChecksumIEEE(text) != binary.LittleEndian.Uint32(head[4:]) {
			break
		}
		if head[8] == spoolWait {
			waiting = append(waiting, record{end, text})
		}
		end += spoolHead + n
	}
	return waiting, end
}

// add writes one record and returns its place when it is on the disk.
func (p *spool) add(text []byte) (at int64, err error) {
	if p == nil {
		return 0, errors.New("there is no spool")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	size := int64(spoolHead + len(text))
	if p.end+size+spoolHead > spoolSize {
		return 0, errSpoolFull
	}
	b := make([]byte, size+spoolHead) // what follows ends the list
	binary.LittleEndian.PutUint32(b, uint32(len(text)))
	binary.LittleEndian.PutUint32(b[4:], crc32.ChecksumIEEE(text))
	b[8] = spoolWait
	copy(b[spoolHead:], text)
	failpoint.Hit("spool.before_add")
	if _, err := p.f.WriteAt(b, p.end); err != nil {
		return 0, err
	}
	if err := p.f.Sync(); err != nil {
		return 0, err
	}
	failpoint.Hit("spool.after_add")
	at = p.end
	p.end += size
	p.waiting++
	return at, nil
}

// done ends the record at at. The space is used again when none waits. That a
// crash may undo it does not matter: doing a record twice changes nothing.
func (p *spool) done(at int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting--
	if p.waiting > 0 {
		_, err := p.f.WriteAt([]byte{spoolDone}, at+8)
		return err
	}
	p.end = 0
	_, err := p.f.WriteAt(make([]byte, spoolHead), 0)
	return err
}

func (p *spool) close() error {
	if p == nil {
		return nil
	}
	return p.f.Close()
}
