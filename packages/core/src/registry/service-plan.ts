export interface ServicePlan {
  readonly service: string;
}
