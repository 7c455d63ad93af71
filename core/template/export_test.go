package template

// RenderWithin is Render with another limit than MaxTime.
var RenderWithin = render
