"""From the arguments of a call to a verdict with a plan of what will run."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import replace

from letsbe.plugin import (
    CommandLine,
    CommandRefused,
    PathRefused,
    RuleBook,
    RuleTables,
    Site,
    Tier,
    Verdict,
    Where,
    clean_environment,
    find_program,
    line_from_argv,
    parse_line,
    steps_of,
)
from letsbe_executor_docker.arguments import DockerArguments
from letsbe_executor_docker.lines import Ground, LineJudge
from letsbe_executor_docker.planning import Work, plan_of, row_of
from letsbe_executor_docker.programs import docker_book
from letsbe_executor_docker.settings import DockerSettings


class Judge:
    """Judges calls by the rule tables and by what their values mean.

    Args:
        rules: The rule tables of all executors, for inner commands and filters.
        site: The allowed roots, forbidden paths and closed ports.
        settings: What the operator says about Docker.
    """

    def __init__(self, rules: RuleTables, site: Site, settings: DockerSettings) -> None:
        self.book = docker_book()
        environment = clean_environment()
        self._ground = Ground(self.book, rules, settings, environment)
        places = (*site.roots, *settings.stacks)
        self._places = tuple(os.path.realpath(place) for place in places)
        self._where = Where(
            cwd=str(places[0]) if places else "/",
            home=environment["HOME"],
            roots=site.roots,
            forbidden=site.forbidden,
            closed_ports=site.closed_ports,
        )

    def judge(self, arguments: DockerArguments) -> Verdict:
        """Judge a call.

        Returns:
            The verdict; refused if the line is outside the grammar.

        Raises:
            PathRefused: The folder is outside the roots.
        """
        where = self._place(arguments.cwd)
        text = arguments.command
        try:
            line = _line(arguments, self.book)
        except CommandRefused as error:
            return Verdict(
                tier=Tier.RED,
                rule=error.rule,
                reason=f"{error.message} (at character {error.span[0] + 1})",
                refused=True,
                alternative=error.alternative,
                hosts=None,
                plan={"command": text or list(arguments.argv or ())},
            )
        hidden = frozenset(
            {*arguments.env_refs, *map(_variable, arguments.secret_refs)}
        )
        judged = LineJudge(self._ground, where, hidden)
        judged.run(line)
        return self._verdict(judged, text)

    def _place(self, cwd: str | None) -> Where:
        if cwd is None:
            return self._where
        if "\0" in cwd or not cwd:
            raise PathRefused("cwd is not a path: name a folder inside the roots")
        folder = posixpath.normpath(posixpath.join(self._where.cwd, cwd))
        real = os.path.realpath(folder)
        if self._places and not any(
            real == place or real.startswith(place.rstrip("/") + "/")
            for place in self._places
        ):
            raise PathRefused("cwd is outside the allowed roots")
        return replace(self._where, cwd=folder)

    def _verdict(self, judged: LineJudge, text: str | None) -> Verdict:
        judgement = judged.judgement()
        deciding = judgement.deciding
        programs = {
            stage.words[0].text: find_program(stage.words[0].text)
            for pipeline in judgement.pipelines
            for stage in pipeline.stages
        }
        work = Work(
            judgement,
            programs,
            judged.where,
            tuple(judged.docker_commands),
            tuple(judged.projects),
        )
        return Verdict(
            tier=judgement.tier,
            rule=deciding.rule,
            reason=f"{deciding.why} (command {deciding.command + 1})",
            external=judgement.external,
            refused=judgement.refused,
            alternative=deciding.alternative if deciding.tier else None,
            hosts=judgement.hosts,
            plan=plan_of(work, self._ground.settings.host),
            work=work,
            trace=tuple(row_of(match, text) for match in judgement.matches),
            paths=judgement.classes,
            # What a compose file declares is no part of a class, so it gets none.
            steps=None if work.projects else steps_of(judgement, judged.where),
        )


def _line(arguments: DockerArguments, book: RuleBook) -> CommandLine:
    """Read the call's words; the name ``docker`` may be left out of the first."""
    if arguments.command is not None:
        line = parse_line(arguments.command)
    else:
        line = line_from_argv(arguments.argv or ())
    docker = book.table("docker")
    first, *_ = line.stages
    word = first.words[0]
    if docker is None or (word.text not in docker.subs and word.text[0] != "-"):
        return line
    name = replace(word, text="docker", end=word.start, glob=False)
    stage = replace(first, words=(name, *first.words))
    pipeline, *others = line.pipelines
    pipeline = replace(pipeline, stages=(stage, *pipeline.stages[1:]))
    return replace(line, pipelines=(pipeline, *others))


def _variable(secret: str) -> str:
    """Return the variable that a secret of ``secret_refs`` gets."""
    return re.sub(r"[^A-Za-z0-9]", "_", secret).upper()
