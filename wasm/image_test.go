package wasm_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filecoin-project/bacalhau/wasm"
)

// Every program must end alike from its module and from its image.
func TestImagesRunAlike(t *testing.T) {
	files, err := filepath.Glob("testdata/run/*.wasm")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range wasm.Engines() {
		for _, file := range files {
			t.Run(name+"/"+filepath.Base(file), func(t *testing.T) {
				module, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				task := wasm.Task{Module: module, Limits: limits}
				want, err := runner(t, name).Run(t.Context(), task)
				if err != nil {
					t.Fatal(err)
				}
				image, err := runner(t, name).Image(t.Context(), module, limits)
				if err != nil {
					t.Fatal(err)
				}
				task.Module = nil
				have, err := runImage(t, name, image, task)
				if err != nil {
					t.Fatal(err)
				}
				if a, b := describe(want), describe(have); a != b {
					t.Errorf("from the module: %s\nfrom the image: %s", a, b)
				}
			})
		}
	}
}

func TestImagesOfOthersAreErrors(t *testing.T) {
	module := load(t, "run/exit.wasm")
	for _, name := range wasm.Engines() {
		for what, image := range map[string][]byte{"nothing": nil, "text": []byte("no image, but long enough"), "a module": module} {
			res, err := runImage(t, name, image, wasm.Task{Limits: limits})
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s on %s: %v, %v", what, name, res, err)
			}
		}
		if _, err := runner(t, name).Image(t.Context(), load(t, "refuse/threads.wasm"), limits); err == nil {
			t.Errorf("%s made an image of a module outside the profile", name)
		}
	}
}

func runImage(t *testing.T, engine string, image []byte, task wasm.Task) (*wasm.Result, error) {
	t.Helper()
	p, err := runner(t, engine).Load(t.Context(), imageFile(t, image))
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return p.Run(t.Context(), task)
}

func imageFile(t testing.TB, image []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// BenchmarkImage starts a Go program of 4 MB from its image.
func BenchmarkImage(b *testing.B) {
	module, err := os.ReadFile("../examples/concordance/concordance.wasm")
	if err != nil {
		b.Fatal(err)
	}
	task := wasm.Task{Limits: wasm.Limits{MemoryBytes: 1 << 30, Fuel: 1, OutputBytes: 1}}
	for _, name := range wasm.Engines() {
		image, err := runner(b, name).Image(b.Context(), module, task.Limits)
		if err != nil {
			b.Fatal(err)
		}
		file := imageFile(b, image)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p, err := runner(b, name).Load(b.Context(), file)
				if err == nil {
					_, err = p.Run(b.Context(), task)
				}
				if err != nil {
					b.Fatal(err)
				}
				p.Close()
			}
			b.ReportMetric(float64(len(image))/1e6, "MB")
		})
	}
}
