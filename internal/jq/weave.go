package jq

import "github.com/itchyny/gojq"

// guarded names the built-in functions that can make far more than they are
// given, or hold a processor for long, in one uninterruptible call, with the
// guard that their input passes first.
var guarded = map[string]string{
	"add": guardJSON, "flatten": guardJSON, "join": guardJSON, "tojson": guardJSON, "tostring": guardJSON,
	"capture": guardRegexp, "gsub": guardRegexp, "match": guardRegexp, "scan": guardRegexp,
	"splits": guardRegexp, "sub": guardRegexp,
	"explode": guardSplit, "split": guardSplit,
	"fromjson": guardDigits, "tonumber": guardDigits,
	"transpose": guardTable,
}

// guardedArgument names those where it is the first argument that matters.
var guardedArgument = map[string]string{
	"fromstream": guardStream,
	"getpath":    guardPath,
	"setpath":    guardPath,
}

// guard weaves the checks into a parsed program, in place.
func guard(q *gojq.Query) {
	if q == nil {
		return
	}
	for _, f := range q.FuncDefs {
		guard(f.Body)
	}
	guardTerm(q.Term)
	guard(q.Left)
	guard(q.Right)
	guardPatterns(q.Patterns)
	switch q.Op {
	case gojq.OpAdd:
		*q = *then(&gojq.Query{FuncDefs: q.FuncDefs, Left: q.Left, Right: q.Right, Op: gojq.OpAdd}, guardValue)
	case gojq.OpMul:
		*q = gojq.Query{FuncDefs: q.FuncDefs, Term: product(q.Left, q.Right)}
	case gojq.OpUpdateAdd, gojq.OpUpdateMul:
		*q = *update(q)
	default:
	}
}

// update is "l op= r" spelled out as "r as $x | l |= (. op $x)", which is how
// gojq itself compiles it, with the guarded operator.
func update(q *gojq.Query) *gojq.Query {
	const name = "$_hookd_operand"
	operand := func() *gojq.Query {
		return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name}}}
	}
	dot := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIdentity}}
	change := then(&gojq.Query{Left: dot, Right: operand(), Op: gojq.OpAdd}, guardValue)
	if q.Op == gojq.OpUpdateMul {
		change = &gojq.Query{Term: product(dot, operand())}
	}
	return &gojq.Query{
		FuncDefs: q.FuncDefs,
		Left:     q.Right,
		Patterns: []*gojq.Pattern{{Name: name}},
		Op:       gojq.OpPipe,
		Right:    &gojq.Query{Left: q.Left, Op: gojq.OpModify, Right: change},
	}
}

// product is "guardTimes(l; r) | .[0] * .[1]": the guard sees both operands
// before they are multiplied, and they are evaluated once, in the same order.
func product(l, r *gojq.Query) *gojq.Term {
	at := func(i string) *gojq.Query {
		return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIndex, Index: &gojq.Index{
			Start: &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeNumber, Number: i}},
		}}}
	}
	pair := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: guardTimes, Args: []*gojq.Query{l, r}}}}
	return nested(&gojq.Query{Left: pair, Op: gojq.OpPipe, Right: &gojq.Query{Left: at("0"), Op: gojq.OpMul, Right: at("1")}})
}

func guardTerm(t *gojq.Term) {
	if t == nil {
		return
	}
	for _, s := range t.SuffixList {
		guardOffset(s.Index)
	}
	guardOffset(t.Index)
	switch t.Type {
	case gojq.TermTypeFunc:
		guardCall(t)
	case gojq.TermTypeFormat:
		guardText(t.Str)
		format := &gojq.Term{Type: gojq.TermTypeFormat, Format: t.Format, Str: t.Str}
		if t.Str == nil {
			*t = gojq.Term{Type: gojq.TermTypeQuery, Query: after(guardJSON, format), SuffixList: t.SuffixList}
		} else {
			*t = gojq.Term{Type: gojq.TermTypeQuery, Query: then(&gojq.Query{Term: format}, guardValue), SuffixList: t.SuffixList}
		}
	case gojq.TermTypeString:
		if t.Str != nil && t.Str.Queries != nil {
			guardText(t.Str)
			str := &gojq.Term{Type: gojq.TermTypeString, Str: t.Str}
			*t = gojq.Term{Type: gojq.TermTypeQuery, Query: then(&gojq.Query{Term: str}, guardValue), SuffixList: t.SuffixList}
		}
	case gojq.TermTypeObject:
		for _, kv := range t.Object.KeyVals {
			guardText(kv.KeyString)
			guard(kv.KeyQuery)
			guard(kv.Val)
		}
	case gojq.TermTypeArray:
		guard(t.Array.Query)
	case gojq.TermTypeUnary:
		guardTerm(t.Unary.Term)
	case gojq.TermTypeIf:
		guard(t.If.Cond)
		guard(t.If.Then)
		for _, e := range t.If.Elif {
			guard(e.Cond)
			guard(e.Then)
		}
		guard(t.If.Else)
	case gojq.TermTypeTry:
		guard(t.Try.Body)
		guard(t.Try.Catch)
	case gojq.TermTypeReduce:
		guard(t.Reduce.Query)
		guardPatterns(t.Reduce.Patterns)
		guard(t.Reduce.Start)
		guard(t.Reduce.Update)
	case gojq.TermTypeForeach:
		guard(t.Foreach.Query)
		guardPatterns(t.Foreach.Patterns)
		guard(t.Foreach.Start)
		guard(t.Foreach.Update)
		guard(t.Foreach.Extract)
	case gojq.TermTypeLabel:
		guard(t.Label.Body)
	case gojq.TermTypeQuery:
		guard(t.Query)
	default:
	}
}

func guardCall(t *gojq.Term) {
	for _, a := range t.Func.Args {
		guard(a)
	}
	if g, ok := guardedArgument[t.Func.Name]; ok && len(t.Func.Args) > 0 {
		t.Func.Args[0] = then(t.Func.Args[0], g)
	}
	if g, ok := guarded[t.Func.Name]; ok {
		call := &gojq.Term{Type: gojq.TermTypeFunc, Func: t.Func}
		*t = gojq.Term{Type: gojq.TermTypeQuery, Query: after(g, call), SuffixList: t.SuffixList}
	}
}

// guardText guards what is interpolated into a string.
func guardText(s *gojq.String) {
	if s == nil {
		return
	}
	for i, q := range s.Queries {
		if q.Term != nil && q.Term.Str != nil && q.Term.Str.Queries == nil {
			continue // literal text between the interpolations
		}
		guard(q)
		s.Queries[i] = &gojq.Query{Term: nested(then(q, guardJSON))}
	}
}

// guardOffset guards an index that is computed or that is a large constant; a
// small constant stays one, for gojq treats those better.
func guardOffset(x *gojq.Index) {
	if x == nil {
		return
	}
	guardText(x.Str)
	guard(x.Start)
	guard(x.End)
	if x.IsSlice || x.Start == nil {
		return
	}
	if t := x.Start.Term; t != nil && t.Type == gojq.TermTypeNumber && len(t.Number) < 7 {
		return
	}
	if t := x.Start.Term; t != nil && t.Type == gojq.TermTypeString && t.Str.Queries == nil {
		return
	}
	x.Start = then(x.Start, guardIndex)
}

func guardPatterns(ps []*gojq.Pattern) {
	for _, p := range ps {
		guardPatterns(p.Array)
		for _, o := range p.Object {
			guardText(o.KeyString)
			guard(o.KeyQuery)
			if o.Val != nil {
				guardPatterns([]*gojq.Pattern{o.Val})
			}
		}
	}
}

func nested(q *gojq.Query) *gojq.Term { return &gojq.Term{Type: gojq.TermTypeQuery, Query: q} }

// then is "q | name".
func then(q *gojq.Query, name string) *gojq.Query {
	call := &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name}}
	return &gojq.Query{Left: &gojq.Query{Term: nested(q)}, Op: gojq.OpPipe, Right: &gojq.Query{Term: call}}
}

// after is "name | t".
func after(name string, t *gojq.Term) *gojq.Query {
	call := &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name}}
	return &gojq.Query{Left: &gojq.Query{Term: call}, Op: gojq.OpPipe, Right: &gojq.Query{Term: t}}
}
