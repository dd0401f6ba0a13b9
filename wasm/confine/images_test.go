package confine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/filecoin-project/bacalhau/wasm"
)

// What one process compiled, the next one takes from the disk, unless somebody touched it.
func TestImagesOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "images")
	task := wasm.Task{Module: load(t, "run/exit.wasm"), Limits: limits}
	for _, engine := range wasm.Engines() {
		t.Run(engine, func(t *testing.T) {
			errCompiled := errors.New("compiled")
			keeping := func() *Runner {
				r := open(t, engine)
				if err := r.KeepImages(dir, 64<<20); err != nil {
					t.Fatal(err)
				}
				return r
			}
			lazy := func() *Runner {
				r := keeping()
				r.images.compile = func([]byte, wasm.Limits) ([]byte, error) { return nil, errCompiled }
				return r
			}
			if _, err := lazy().Run(t.Context(), task); !errors.Is(err, errCompiled) {
				t.Fatal("an image before there is one:", err)
			}
			want, err := keeping().Run(t.Context(), task)
			if err != nil {
				t.Fatal(err)
			}
			have, err := lazy().Run(t.Context(), task)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := describe(want), describe(have); a != b {
				t.Errorf("compiled: %s\nfrom the disk: %s", a, b)
			}
			other := task
			other.Limits.MemoryBytes *= 2
			if _, err := lazy().Run(t.Context(), other); !errors.Is(err, errCompiled) {
				t.Error("an image for another limit of memory:", err)
			}

			files, err := filepath.Glob(filepath.Join(dir, "*.image"))
			if err != nil || len(files) == 0 {
				t.Fatal(files, err)
			}
			for _, file := range files {
				damage(t, file)
			}
			if _, err := lazy().Run(t.Context(), task); !errors.Is(err, errCompiled) {
				t.Error("a damaged image was taken:", err)
			}
			if _, err := keeping().Run(t.Context(), task); err != nil {
				t.Error(err)
			}
		})
	}
}

func damage(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
