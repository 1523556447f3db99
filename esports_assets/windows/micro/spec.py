"""What the window ``cs2/player_micro`` is: its features in order, its constants, its row columns.

Belongs here: names, units, meanings; the nine micro-features of row 001-02 stand first, in its order and under its names.
Does not belong here: how a feature is computed (``kernel.py``, ``motion.py``, ``sight.py``).
"""

from dataclasses import dataclass

from esports_assets.canonical.schema import TRACKING, Column, Kind
from esports_assets.canonical.space import SOURCE_ENGINE
from esports_assets.windows.micro.holding import HOLDINGS
from esports_assets.windows.spec import PLAYER_COLUMNS, Feature, WindowSpec

METRES_PER_U = SOURCE_ENGINE.metres_per_unit
"""Metres of one Counter-Strike unit as maps are built (16 units to the foot): a running player covers 4.8 m a second."""
WINDOW_S = 4.0
"""Length of the window in seconds: (t - 4, t]."""
RATE_HZ = 2.0
"""Rows per second and player; ``None`` wherever a rate is asked for means one row per frame."""
NEAR_M = 20.0
"""An enemy or team-mate this near counts as nearby, in metres."""
STILL_MPS = 0.2
"""Slower than this a player stands still, in metres a second: positions are whole units, and people shift their feet."""
TRADE_S = 5.0
"""How long after a team-mate's death his killer is worth a trade, in seconds."""


@dataclass(frozen=True, slots=True)
class MicroWindow:
    """How long the window is and how often there is a row; ``rate_hz`` None: at every frame."""

    window_s: float = WINDOW_S
    rate_hz: float | None = RATE_HZ

    def __post_init__(self) -> None:
        if not self.window_s > 0.0:
            raise ValueError(f"a window of {self.window_s} s holds nothing: give a length above 0")
        if self.rate_hz is not None and not self.rate_hz > 0.0:
            raise ValueError(f"{self.rate_hz} rows a second is no rate: give one above 0, or None for every frame")


NINE: tuple[Feature, ...] = (
    Feature("n_events", "events", "Frames, kills, deaths, objective deeds and utility of the player", minimum=0),
    Feature("speed_mean", "m/s", "Mean speed between frames; unknown with fewer than two", True, 0),
    Feature("speed_max", "m/s", "Largest speed between frames; unknown with fewer than two", True, 0),
    Feature("dist_to_objective_min", "m", "Nearest that he was to the objective of the instant", True, 0),
    Feature("kills_last_window", "kills", "Kills by the player", minimum=0),
    Feature("deaths_last_window", "deaths", "Deaths of the player: above 0 only for one who was revived", minimum=0),
    Feature("abilities_used", "uses", "Grenades thrown and abilities used", minimum=0),
    Feature("nearby_enemies_max", "players", "Most living enemies within 20 m in a frame", True, 0),
    Feature("approach_velocity", "m/s", "Least-squares speed towards the objective; 0 with fewer than two distances"),
)
"""Row 001-02. The objective is the planted bomb, before a plant the bomb site that the player is nearer to now."""

_ENEMY = "nearest living enemy"
_RICHER: tuple[Feature, ...] = (
    Feature("enemy_dist_m", "m", f"Distance to the {_ENEMY}", True, 0),
    Feature("enemy_angle_deg", "degrees", f"Horizontal angle from the line of view to the {_ENEMY}", True, 0, 180),
    Feature("enemy_view_angle_deg", "degrees", f"Horizontal angle from his line of view, {_ENEMY}", True, 0, 180),
    Feature("aim_angle_min_deg", "degrees", "Smallest horizontal angle from view to any living enemy", True, 0, 180),
    Feature("enemies_near", "players", "Living enemies within 20 m now", True, 0),
    Feature("mate_dist_m", "m", "Distance to the nearest living team-mate", True, 0),
    Feature("mates_near", "players", "Living team-mates within 20 m now", True, 0),
    Feature("since_contact_s", "s", "Since damage to or by an enemy or a shot of his own; unknown before", True, 0),
    Feature("since_shot_s", "s", "Since a shot of his own with a gun", True, 0),
    Feature("since_hit_s", "s", "Since he hurt an enemy", True, 0),
    Feature("since_hurt_s", "s", "Since an enemy hurt him", True, 0),
    Feature("speed_now_mps", "m/s", "Speed between the latest two frames", True, 0),
    Feature("displacement_m", "m", "Distance between first and latest place in the window", True, 0),
    Feature("towards_objective_m", "m", "How much nearer to the objective he came over the window", True),
    Feature("towards_enemy_m", "m", f"How much nearer he came to where the {_ENEMY} is now", True),
    Feature("still_s", "s", "Seconds that he has stood still, within the window", True, 0),
    Feature("yaw_change_deg", "degrees", "Angle between first and latest view in the window", True, 0, 180),
    Feature("yaw_turned_deg", "degrees", "Sum of the turns between frames", True, 0),
    Feature("health", "health points", "Health now", minimum=0, maximum=150),
    Feature("armor", "armour points", "Armour now", True, 0, 100),
    Feature("utility", "grenades", "Grenades in hand; unknown where the source does not tell the economy", True, 0),
    Feature("blind_s", "s", "Seconds of blindness left", minimum=0),
    *(Feature(f"holds_{name}", "0 or 1", f"Holds {doc}", True, 0, 1) for name, doc in HOLDINGS.items()),
    Feature("carries_bomb", "0 or 1", "Carries the bomb", minimum=0, maximum=1),
    Feature("has_kit", "0 or 1", "Carries a defuse kit", True, 0, 1),
    Feature("planted", "0 or 1", "The bomb is planted", minimum=0, maximum=1),
    Feature("since_plant_s", "s", "Seconds since the plant, 0 before", minimum=0),
    Feature("since_freeze_s", "s", "Seconds since freeze end", minimum=0),
    Feature("own_alive", "players", "Living players of his side, himself included", minimum=0),
    Feature("enemies_alive", "players", "Living players of the other side", minimum=0),
    Feature("mate_died_5s", "0 or 1", "A team-mate died in the last five seconds", minimum=0, maximum=1),
    Feature("killer_dist_m", "m", "Distance to the living enemy who killed that team-mate", True, 0),
    Feature("site_a_dist_m", "m", "Distance to the centre of bomb site A", True, 0),
    Feature("site_b_dist_m", "m", "Distance to the centre of bomb site B", True, 0),
    Feature("bomb_dist_m", "m", "Distance to the bomb, carried, dropped or planted", True, 0),
    Feature("is_ct", "0 or 1", "Plays on the CT side", minimum=0, maximum=1),
)

_ROWS: tuple[Column, ...] = (
    *PLAYER_COLUMNS,
    Column("t_s", Kind.REAL, "Seconds since freeze end of the round", unit="s", minimum=0),
    TRACKING.column("place"),
    TRACKING.column("weapon"),
)


def micro_spec(window_s: float = WINDOW_S) -> WindowSpec:
    """The window with a length of its own."""
    return WindowSpec(
        name="cs2/player_micro",
        version="1",
        features=(*NINE, *_RICHER),
        parameters=(
            ("window_s", window_s),
            *(("metres_per_u", METRES_PER_U), ("near_m", NEAR_M), ("still_mps", STILL_MPS), ("trade_s", TRADE_S)),
        ),
        rows=_ROWS,
        key=("match_id", "segment", "player", "t_s"),
        row_doc="one row per living player and instant, in order of round, time, side and player",
    )


PLAYER_MICRO = micro_spec()
"""What a CS2 player did in the last four seconds and how he stands now."""
