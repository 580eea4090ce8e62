package testinfra_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/testinfra"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }
