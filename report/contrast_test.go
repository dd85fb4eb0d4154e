package report

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestContrast holds the colours of both schemes to WCAG 2.1, level AA: 4.5
// to 1 for text (1.4.3), 3 to 1 for what is drawn (1.4.11).
func TestContrast(t *testing.T) {
	dark := pageCSS[strings.Index(pageCSS, "prefers-color-scheme: dark"):]
	for name, css := range map[string]string{"light": pageCSS, "dark": dark} {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([\w-]+): (#[0-9a-f]{6})`).FindAllStringSubmatch(css, -1) {
			if colours[m[1]] == "" {
				colours[m[1]] = m[2]
			}
		}
		least := func(front, back string, ratio float64) {
			t.Helper()
			require.NotEmpty(t, colours[front], front)
			require.NotEmpty(t, colours[back], back)
			require.GreaterOrEqual(t, contrast(t, colours[front], colours[back]), ratio, "%s: %s on %s", name, front, back)
		}
		for _, back := range []string{"bg", "card"} {
			for _, text := range []string{"ink", "soft", "link", "bad", "warn", "good"} {
				least(text, back, 4.5)
			}
		}
		for _, tone := range []string{"good", "warn", "bad", "idle"} {
			least(tone, tone+"-bg", 4.5)
			least("ink", tone+"-bg", 4.5)
		}
		for _, line := range []string{"s1", "s2", "s3", "s4", "s5", "s6", "heat"} {
			least(line, "card", 3)
		}
	}
}

// contrast is WCAG's ratio of two colours, from 1 to 21.
func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	var r, g, b int
	_, err := fmt.Sscanf(hex, "#%02x%02x%02x", &r, &g, &b)
	require.NoError(t, err)
	linear := func(v int) float64 {
		c := float64(v) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}
