"""An Issue becomes an Email: Markdown, templates, inlined CSS, plain text.

In, module by module: `markup` makes the article's HTML, `theme` puts it into the templates,
`inline` moves the CSS into the elements, `plaintext` writes the other half. Their order is the
pipeline's business; nothing here opens a network connection or knows who reads the mail.
"""
