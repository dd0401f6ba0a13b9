package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/filecoin-project/bacalhau/internal/chain"
)

// A chain that does not answer is waited for with a pause that doubles; what it says, or the end, is taken at once.
func TestSilentChainIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := errors.New("no such contract")
		begun, asked := time.Now(), 0
		err := patiently(t.Context(), slog.New(slog.DiscardHandler), func(context.Context) error {
			if asked++; asked < 4 {
				return fmt.Errorf("read: %w", chain.ErrNoAnswer)
			}
			return said
		})
		if !errors.Is(err, said) || time.Since(begun) != 7*time.Second {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		err = patiently(ctx, slog.New(slog.DiscardHandler), func(context.Context) error { return chain.ErrNoAnswer })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("stopped with %v", err)
		}
	})
}
