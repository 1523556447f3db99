"""Seeded plausible matches, written as source files that the ordinary adapters read.

Belongs here: invented maps, a model of how a Counter-Strike 2 match is played, and the writers of the source formats.
Does not belong here: adapters, windows, anything that reads what is written here, and anything copied from a real match.

    geometry  maps and what can be seen and walked      tactics  who goes where, and why
    arsenal   weapons, prices, damage                   fights   who sees, hits and kills whom
    economy   money and buying                          round    the loop of one round
    utility   grenades                                  match    score, sides, money over rounds
    demo_format, tracks, stats   the demo archive        grid_format, grid_feed, grid_state   the GRID messages
    write     files on disk                              maps, dice, record, world           what the others share
"""
