"""How a command reads its arguments and writes its help: options under the heading of their purpose."""

from collections import Counter
from typing import Any

from typer.core import TyperCommand, TyperOption

from cnncli.errors import UsageError


class Command(TyperCommand):
    """A command whose options stand under headings, and may be given once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an option that is given twice: only one of its values would be used."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        valued = (param for param in order if isinstance(param, TyperOption) and not param.is_flag)
        for option, times in Counter(valued).items():
            if times > 1 and not ctx.resilient_parsing:
                raise UsageError(f"{max(option.opts, key=len)} is given {times} times: give it once")
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """One section for each heading, in the order in which they come up."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                is_argument = param.param_type_name == "argument"
                heading = "Arguments" if is_argument else getattr(param, "rich_help_panel", None) or "Options"
                sections.setdefault(heading, []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)
