package seal

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"suar/internal/caseid"
)

// The names in an exported folder.
const (
	folderHeader = "header.age"
	folderChain  = "CHAIN"
	folderReadme = "README.txt"
)

// ErrFolder says that a folder is not one that Export wrote.
var ErrFolder = errors.New("seal: not an exported case: want " + folderHeader + " and " + folderChain)

// Export writes a case as a folder that the age tool opens without this
// program, and ReadFolder reads back: header.age, each record's entry as
// 00000001.age and so on in the order of the records, a file CHAIN with the
// numbers and the tags, and README.txt with the steps. A record that is not one
// is kept as it is, as 00000001.damaged. The folder is made if it is not there;
// no file in it is overwritten.
func Export(dir string, id CaseID, sealedHeader []byte, records [][]byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("seal: export: %w", err)
	}
	var chain bytes.Buffer
	fmt.Fprintf(&chain, "%s %s\n", formatName, id)
	files := []exported{{folderHeader, sealedHeader}, {folderReadme, []byte(readme(id))}}
	for i, b := range records {
		if f, err := parseRecord(b); err == nil {
			name := fmt.Sprintf("%08d.age", i+1)
			fmt.Fprintf(&chain, "%s %d %x\n", name, f.seq, f.tag)
			files = append(files, exported{name, f.entry})
			continue
		}
		name := fmt.Sprintf("%08d.damaged", i+1)
		fmt.Fprintf(&chain, "%s\n", name)
		files = append(files, exported{name, b})
	}
	// CHAIN comes last: a folder without it was not finished.
	for _, f := range append(files, exported{folderChain, chain.Bytes()}) {
		if err := writeNew(filepath.Join(dir, f.name), f.data); err != nil {
			return fmt.Errorf("seal: export: %w", err)
		}
	}
	return nil
}

type exported struct {
	name string
	data []byte
}

// writeNew writes a file that must not exist, for its owner only.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// ReadFolder reads what Export wrote. Files that are gone are left out, so that
// ReadTranscript reports them as missing. A folder that Export did not write is
// ErrFolder.
func ReadFolder(dir string) (id CaseID, sealedHeader []byte, records [][]byte, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return id, nil, nil, fmt.Errorf("seal: folder: %w", err)
	}
	defer root.Close()
	fsys := root.FS()
	chain, err := fs.ReadFile(fsys, folderChain)
	if err != nil {
		return id, nil, nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	if sealedHeader, err = fs.ReadFile(fsys, folderHeader); err != nil {
		return id, nil, nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	lines := bufio.NewScanner(bytes.NewReader(chain))
	lines.Scan()
	format, name, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
	if format != formatName {
		return id, nil, nil, fmt.Errorf("%w: line 1 of %s", ErrFolder, folderChain)
	}
	if id, err = caseid.Parse(name); err != nil {
		return id, nil, nil, fmt.Errorf("%w: line 1 of %s", ErrFolder, folderChain)
	}
	for n := 2; lines.Scan(); n++ {
		record, err := readExported(fsys, strings.Fields(lines.Text()))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return id, nil, nil, fmt.Errorf("seal: folder: line %d of %s: %w", n, folderChain, err)
		}
		records = append(records, record)
	}
	if err := lines.Err(); err != nil {
		return id, nil, nil, fmt.Errorf("seal: folder: %w", err)
	}
	return id, sealedHeader, records, nil
}

// readExported reads the file of a line of CHAIN and makes the record of it.
func readExported(fsys fs.FS, line []string) ([]byte, error) {
	if len(line) == 0 || !slices.Contains([]string{".age", ".damaged"}, filepath.Ext(line[0])) {
		return nil, errors.New("want the name of a record")
	}
	data, err := fs.ReadFile(fsys, line[0])
	if err != nil || filepath.Ext(line[0]) == ".damaged" {
		return data, err
	}
	if len(line) != 3 {
		return nil, errors.New("want a name, a number and a tag")
	}
	f := framed{entry: data}
	if f.seq, err = strconv.ParseUint(line[1], 10, 64); err != nil {
		return nil, errors.New("want a number")
	}
	tag, err := hex.DecodeString(line[2])
	if err != nil || len(tag) != len(f.tag) {
		return nil, errors.New("want a tag of 64 hexadecimal digits")
	}
	copy(f.tag[:], tag)
	return f.bytes(), nil
}

func readme(id CaseID) string {
	return fmt.Sprintf(`Case %[1]s (%[2]s), sealed, format %[3]s

Everything in this folder is encrypted. Whoever has one of the keys that the
case was sealed to reads it with the age tool, version 1.3 or newer
(https://age-encryption.org), and nothing else. In this folder:

  age -d -i officer.key header.age | age -d -i - 00000001.age

and so on with 00000002.age to the last. officer.key is the officer's key file;
age asks for its passphrase. All at once:

  age -d -i officer.key header.age > case.key
  for f in 0*.age; do age -d -i case.key "$f"; echo; done
  rm case.key

Each entry is a line of JSON followed by spaces: n is its number, t the hour in
UTC, from who, kind what, text the words. A long text is in several entries:
part counts them, parts is how many there are.

age shows what was said, but not whether it is complete and unchanged. That is
what the file CHAIN is for, with the program that wrote this folder:

  suar open --folder . -i officer.key --witness '#12·0a1b2c3d4e5f6071'

The witness is what the case's card shows at its end; without it a cut end
cannot be noticed.

To let somebody else read the case, on a machine that may see it:

  age -d -i officer.key header.age | age -R newcomer.txt > header2.age

Whoever can read this case can also print it: keep the folder where only those
come who may know.
`, id.Code(), id, formatName)
}
