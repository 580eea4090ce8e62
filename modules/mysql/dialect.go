package mysql

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/modules/internal/rows"
)

const (
	// maxKeyed is how many characters of four bytes an index of InnoDB holds.
	maxKeyed = 768
	// maxVarchar is how many characters a VARCHAR is given before it becomes a
	// LONGTEXT: all VARCHARs of a row share 65,535 bytes.
	maxVarchar = 4096
	// A DECIMAL has at most so many digits in all, and behind the point.
	maxDigits, maxScale = 65, 30
)

var dialect = rows.Dialect{Module: "mysql", Title: "MySQL", MaxName: maxIdentifier, NUL: true}

// quote makes an identifier of any name.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quote(n)
	}
	return strings.Join(quoted, ", ")
}

// tableName is the table as statements have it.
func tableName(t *rows.Table) string {
	if t.Schema != "" {
		return quote(t.Schema) + "." + quote(t.Name)
	}
	return quote(t.Name)
}

// sqlType is the type of a column that is created.
func sqlType(c rows.Column, keyed bool) string {
	switch c.Type.Kind {
	case rows.Text:
		switch {
		case c.Name == rows.ColHook:
			return "VARCHAR(512)" // hookd's own
		case c.Type.Size > 0 && c.Type.Size <= maxVarchar:
			return fmt.Sprintf("VARCHAR(%d)", c.Type.Size)
		case keyed:
			return fmt.Sprintf("VARCHAR(%d)", maxKeyed)
		}
		return "LONGTEXT"
	case rows.Integer:
		return "BIGINT"
	case rows.Float:
		return "DOUBLE"
	case rows.Decimal:
		if c.Type.Size > 0 {
			return fmt.Sprintf("DECIMAL(%d,%d)", c.Type.Size, c.Type.Scale)
		}
		return fmt.Sprintf("DECIMAL(%d,%d)", maxDigits, maxScale)
	case rows.Boolean:
		return "BOOLEAN"
	case rows.Timestamp:
		return "DATETIME(6)"
	case rows.Date:
		return "DATE"
	case rows.Clock:
		return "TIME(6)"
	case rows.JSON:
		return "JSON"
	case rows.UUID:
		return "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin"
	}
	return "LONGTEXT"
}

// value makes the driver's value of the row's. in is the column that is there:
// where it has fewer digits behind the point, the server would round the rest away
// without a word. The time that is zero is spelled out, because the driver makes a
// date of zeros of it.
func value(c rows.Column, v any, in column) (any, error) {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Truncate(time.Microsecond).Format("2006-01-02 15:04:05.000000"), nil
	case string:
		switch {
		case c.Type.Kind == rows.Integer:
			return strconv.ParseInt(v, 10, 64)
		case c.Type.Kind == rows.Decimal && !in.exact():
			return decimal(v, maxScale)
		case c.Type.Kind == rows.Decimal, c.Type.Kind == rows.Float && in.exact():
			return decimal(v, in.scale)
		}
	}
	return v, nil
}

// decimal refuses what would be rounded.
func decimal(s string, scale int) (any, error) {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, fmt.Errorf("got what is no number")
	}
	ten := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
	if !new(big.Rat).Mul(r, ten).IsInt() {
		return nil, fmt.Errorf("got more than %d digits behind the point, which would be rounded", scale)
	}
	return r.FloatString(scale), nil
}
