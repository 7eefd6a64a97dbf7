rule report:
    input:
        unpack(lambda wildcards: plan.report_inputs()),
        settings="results/report/{key}/settings.yaml",
        code=code_of("report"),
    output:
        report(
            "results/report/{key}/report.html",
            caption="../report/report.rst",
            category="matlabel",
        ),
    log:
        "logs/report/{key}.log",
    conda:
        "../../envs/matlabel.yaml"
    resources:
        mem_mb=memory_of,
        runtime=minutes_of,
        cpus_per_task=cores_of,
    params:
        code=sources_digest("report"),
        masks=lambda wildcards, input: option("masks", input.get("masks")),
    shell:
        "matlabel report --settings {input.settings} --dataset {input.list} {params.masks} --results results"
        " --out {output} --code {params.code} > {log} 2>&1"
