package rows

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Kind is what a column holds.
type Kind uint8

// The kinds, with what Table.Row gives for them.
const (
	Text      Kind = iota // string
	Integer               // string: decimal digits of an int64
	Float                 // string: a JSON number within float64
	Decimal               // string: a number with all its digits
	Boolean               // bool
	Timestamp             // time.Time in UTC
	Date                  // string: 2006-01-02
	Clock                 // string: 15:04:05.999999
	JSON                  // string: a JSON document
	UUID                  // string in the usual form, lower case
)

// Type is a declared type. A text with a Size holds that many characters, a
// Decimal that many digits, Scale of them behind the point; a Size of 0 is no
// limit.
type Type struct {
	Kind        Kind
	Size, Scale int
	Known       bool   // false: an unknown name, which means Text
	Written     string // for messages
}

// String is the type as it was declared.
func (t Type) String() string { return t.Written }

var kinds = map[string]Kind{
	"text": Text, "string": Text, "str": Text, "varchar": Text, "char": Text, "character": Text, "character varying": Text,
	"integer": Integer, "int": Integer, "bigint": Integer, "smallint": Integer, "int2": Integer, "int4": Integer, "int8": Integer,
	"float": Float, "number": Float, "double": Float, "double precision": Float, "real": Float, "float4": Float, "float8": Float,
	"decimal": Decimal, "numeric": Decimal,
	"boolean": Boolean, "bool": Boolean,
	"datetime": Timestamp, "timestamp": Timestamp, "timestamptz": Timestamp,
	"date": Date, "time": Clock, "json": JSON, "jsonb": JSON, "uuid": UUID,
}

var (
	typeForm  = regexp.MustCompile(`^([a-z][a-z0-9_ ]*?) ?(?:\( ?(\d{1,5}) ?(?:, ?(\d{1,5}) ?)?\))?(?: with(?:out)? time zone)?$`)
	tailForms = []string{NotNull, Unique, PrimaryKey}
)

// The constraints that are kept.
const (
	NotNull    = "NOT NULL"
	Unique     = "UNIQUE"
	PrimaryKey = "PRIMARY KEY"
)

// ParseType reads the name of a type, of the original service or of SQL, in any
// case, and the constraints that may follow it: "varchar(100) not null".
func ParseType(s string) (t Type, constraints []string, err error) {
	text := strings.ToLower(strings.Join(strings.Fields(s), " "))
	for cut := true; cut; {
		cut = false
		for _, c := range tailForms {
			if rest, ok := strings.CutSuffix(text, " "+strings.ToLower(c)); ok {
				text, cut = rest, true
				constraints = append(constraints, c)
			}
		}
	}
	slices.Sort(constraints)
	m := typeForm.FindStringSubmatch(text)
	if m == nil {
		return t, nil, fmt.Errorf("%q is not the name of a type", s)
	}
	t.Written = text
	t.Kind, t.Known = kinds[m[1]]
	t.Size, _ = strconv.Atoi(m[2])
	t.Scale, _ = strconv.Atoi(m[3])
	switch {
	case m[2] == "", !t.Known:
		t.Size = 0
	case t.Size == 0:
		return t, nil, fmt.Errorf("%q has room for nothing", s)
	case t.Kind == Decimal && t.Scale > t.Size:
		return t, nil, fmt.Errorf("%q has more digits behind the point than in all", s)
	case t.Kind != Text && t.Kind != Decimal:
		t.Size = 0 // a display width or a precision
	}
	return t, constraints, nil
}
