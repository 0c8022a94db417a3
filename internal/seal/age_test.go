package seal

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestAgeTool is G8: the age tool alone opens a case, also with a key that is
// protected by a passphrase, which it asks for on a terminal.
func TestAgeTool(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the age tool; not in short mode")
	}
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "age"), "filippo.io/age/cmd/age")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the age tool does not build: %v\n%s", err, out)
	}
	golden, err := filepath.Abs(goldenDir)
	if err != nil {
		t.Fatal(err)
	}
	newcomer, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	fresh, recipient, err := NewOfficerKey(passphrase, 0)
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/age",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			for name, data := range map[string][]byte{
				"newcomer.key": []byte(newcomer.String() + "\n"), "newcomer.txt": []byte(newcomer.Recipient().String() + "\n"),
				"new.key": fresh, "new.txt": []byte(recipient + "\n"), "passphrase": []byte(passphrase + "\n"),
				"golden-passphrase": []byte(goldenPassphrase + "\n"),
			} {
				if err := os.WriteFile(filepath.Join(env.WorkDir, name), data, 0o600); err != nil {
					return err
				}
			}
			return os.CopyFS(env.WorkDir, os.DirFS(golden))
		},
		RequireExplicitExec: true,
	})
}
