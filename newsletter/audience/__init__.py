"""Who reads the letter: addresses, the tokens that stand for a person, what is brought in.

Texts and files enter; validated addresses and unforgeable tokens leave. It knows no article, no
template and no relay.
"""
